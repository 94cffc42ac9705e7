#!/usr/bin/env bash
# Waits for a Slurm job to end, ten minutes at most, and prints its state and exit code.
set -euo pipefail
for _ in {1..3000}; do
  job=$(scontrol show job "$1")
  state=$(grep -o 'JobState=[A-Z_]*' <<<"$job")
  case $state in
    *PENDING | *RUNNING | *COMPLETING | *CONFIGURING) sleep 0.2 ;;
    *) break ;;
  esac
done
echo "$state $(grep -o ' ExitCode=[0-9]*' <<<"$job")"
