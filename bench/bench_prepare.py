"""bench_prepare.py FILE: the public script's preparation with nibabel and torch; prints seconds."""

import sys
import time

import nibabel
import torch

start = time.perf_counter()
image = nibabel.load(sys.argv[1])
hu = torch.tensor(image.get_fdata().transpose(2, 0, 1)).clamp(-1000, 1000)
spacing = [float(image.header.get_zooms()[i]) for i in (2, 0, 1)]
size = [int(n * (mm / target)) for n, mm, target in zip(hu.shape, spacing, (1.5, 0.75, 0.75))]
hu = torch.nn.functional.interpolate(hu[None, None], size=size, mode="trilinear", align_corners=False)[0, 0] / 1000
tensor = torch.full((240, 480, 480), -1.0)
crop = [slice(max((n - m) // 2, 0), max((n - m) // 2, 0) + min(n, m)) for n, m in zip(size, tensor.shape)]
place = [slice((m - min(n, m)) // 2, (m - min(n, m)) // 2 + min(n, m)) for n, m in zip(size, tensor.shape)]
tensor[place[0], place[1], place[2]] = hu[crop[0], crop[1], crop[2]].float()
print(time.perf_counter() - start)
