# The rows of bench_row.h as a table.
BEGIN {
  FS = "\t"
  line("what", "ours", "beside", "its figure", "ratio", "spread", "goal", "")
}
{ line($1, $2, $3, $4, $5, $6, $7, $8) }
$8 == "met" { met++ }
$8 == "MISSED" { missed++ }
END { printf "%d met, %d missed, %d left out\n", met, missed, NR - met - missed }
function line(what, ours, beside, theirs, ratio, spread, goal, verdict) {
  printf "%-54s %-12s %-33s %-12s %-7s %-20s %-7s %s\n", what, ours, beside, theirs, ratio, spread, goal, verdict
}
