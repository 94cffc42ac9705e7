#!/usr/bin/env bash
# Submits a study to Slurm: an array of tasks, and a job that puts their tables together once all have ended.
#
#   pipelines/slurm/submit.sh TASKS DEFINITION WORKSPACE [NAME=VALUE]...
#   pipelines/slurm/submit.sh 8 pipelines/segment-study.yaml study scans=/data/scans
#
# SEGPIPE names the program where it is not in the path; SBATCH_OPTIONS holds further options for sbatch,
# such as a partition. Prints the number of the last job.
set -euo pipefail

if (($# < 3)); then
  echo "usage: submit.sh TASKS DEFINITION WORKSPACE [NAME=VALUE]..." >&2
  exit 64
fi
tasks=$1 workspace=$3
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
read -ra options <<<"${SBATCH_OPTIONS:-}"
mkdir -p "$workspace/logs"

# What --wrap takes is run by /bin/sh, which knows fewer kinds of quotes than printf's %q writes.
quote() {
  local end="'\\''"
  printf "'%s' " "${1//\'/"$end"}"
}
collect=
for word in "${SEGPIPE:-segpipe}" collect --workspace "$workspace"; do collect+=$(quote "$word"); done

array=$(sbatch --parsable --array="1-$tasks" --output="$workspace/logs/%A_%a.log" \
  "${options[@]}" "$here/segment-study.sbatch" "$@")
# After any end, good or bad: what failed is told by the tables and by the exit code.
sbatch --parsable --dependency="afterany:${array%%;*}" --job-name=segpipe-collect \
  --output="$workspace/logs/collect.log" "${options[@]}" \
  --wrap "$collect"
