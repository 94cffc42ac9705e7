#!/usr/bin/env bash
# Starts a Slurm of one node in a folder, runs a command under it, and stops it. Needs root, and Debian's
# slurm-wlm and munge; no systemd.
#
#   one-node-slurm.sh FOLDER COMMAND...
set -euo pipefail
folder=$1
shift
node=$(hostname -s)
mkdir -p "$folder/state" "$folder/spool" "$folder/munge"
chmod 700 "$folder/munge"
head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 400 "$folder/munge/key"
port=$((20000 + RANDOM % 20000))
cat >"$folder/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=4096
PartitionName=main Nodes=ALL Default=YES State=UP
END
export SLURM_CONF=$folder/slurm.conf

pids=()
stop() {
  # Nothing of theirs is needed any more, and some of them wait for each other when asked to end.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill -KILL "${pids[i]}" 2>/dev/null || true; done
  wait
}
trap stop EXIT

# Runs a daemon that keeps none of this script's open files: who waits for the script waits for them too.
start() {
  for file in /proc/self/fd/*; do
    number=${file##*/}
    ((number > 2)) && eval "exec $number>&-"
  done
  exec "$@"
}

# The folder may lie in one that everybody may write to: --force.
start munged --foreground --force --key-file "$folder/munge/key" --socket "$folder/munge/socket" \
  --pid-file "$folder/munge/pid" --log-file "$folder/munge/log" --seed-file "$folder/munge/seed" \
  >"$folder/munged.out" 2>&1 &
pids+=($!)
for _ in {1..50}; do [[ -S $folder/munge/socket ]] && break || sleep 0.1; done
start slurmctld -D >"$folder/slurmctld.out" 2>&1 &
pids+=($!)
start slurmd -D -N "$node" >"$folder/slurmd.out" 2>&1 &
pids+=($!)
for _ in {1..200}; do
  [[ $(sinfo -h -o %T 2>/dev/null) == idle ]] && break || sleep 0.1
done
[[ $(sinfo -h -o %T) == idle ]]
"$@"
