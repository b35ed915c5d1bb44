"""bench_train.py TRAIN VALID: the plain PyTorch loop, as a script would have it; prints milliseconds at
whichever number of threads is the quickest.

Linear-ReLU-Dropout-Linear on random latents, AdamW, batches of 32, focal loss, five epochs; after each
the AUROC per class by ranks and sensitivity, specificity and accuracy, without any interval.
"""

import sys
import time

import torch
from torch import nn

WIDTH, HIDDEN, CLASSES, BATCH, EPOCHS, GAMMA = 512, 256, 18, 32, 5, 2.0


def focal_loss(logits, labels, pos_weight):
    signed = (2 * labels - 1) * logits
    weight = torch.where(labels > 0, pos_weight, torch.ones_like(pos_weight))
    return (weight * torch.sigmoid(-signed) ** GAMMA * nn.functional.softplus(-signed)).mean()


def judge(model, x, y):
    model.eval()
    with torch.no_grad():
        logits = model(x)
    model.train()
    n = len(y)
    ranks = logits.argsort(0).argsort(0).double() + 1
    positives = y.double().sum(0)
    auroc = ((ranks * y).sum(0) - positives * (positives + 1) / 2) / (positives * (n - positives))
    called = (logits > 0).double()
    sensitivity = (called * y).sum(0) / positives
    specificity = ((1 - called) * (1 - y)).sum(0) / (n - positives)
    accuracy = (called == y).double().mean(0)
    return auroc, sensitivity, specificity, accuracy


def train_ms(n_train, n_valid, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(42)
    x, y = torch.randn(n_train, WIDTH), (torch.rand(n_train, CLASSES) < 0.2).float()
    vx, vy = torch.randn(n_valid, WIDTH), (torch.rand(n_valid, CLASSES) < 0.2).float()
    start = time.perf_counter()
    mean, deviation = x.mean(0), x.std(0)
    x, vx = (x - mean) / deviation, (vx - mean) / deviation
    model = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Dropout(0.3), nn.Linear(HIDDEN, CLASSES))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    pos_weight = (len(y) - y.sum(0)) / y.sum(0)
    for _ in range(EPOCHS):
        for batch in torch.randperm(n_train).split(BATCH):
            optimiser.zero_grad()
            focal_loss(model(x[batch]), y[batch], pos_weight).backward()
            optimiser.step()
        judge(model, vx, vy)
    return 1000 * (time.perf_counter() - start)


print(min(train_ms(int(sys.argv[1]), int(sys.argv[2]), threads) for threads in {1, torch.get_num_threads()}))
