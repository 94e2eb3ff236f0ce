# Reads commands of the host, one a line, does what they say and answers. A process is dear in a guest, so `run` costs only
# one: a subshell that answers when it ends. `start` has a session of its own, because pppd sends signals to its group.

if [ "$1" = start ]; then
  (. "/lab/host/$2.sh") >/lab/said 2>&1
  # Said where its output goes, so that neither overtakes the other.
  printf '\002%s %s\n' "$2" $? >/lab/said
  exit
fi

lab_answer() {
  exec >&4 2>&4
  printf '\002%s %s\n' "$lab_id" "$1"
}

exec 3<&0 4>&1 </dev/null
# Signals for the group do not end this shell. Programs that it starts do not inherit a handler.
trap : HUP INT TERM
while :; do
  # This takes leave of the subshells that have ended.
  jobs >/dev/null
  read -r lab_verb lab_id <&3 || { [ $? -gt 128 ] && continue || poweroff -f; }
  lab_files=/lab/host/$lab_id
  case $lab_verb in
    run)
      (
        # By this word `kill` finds what the command has started.
        export LAB_TASK="$lab_id;"
        exec >"$lab_files.out" 2>"$lab_files.err" 3<&-
        trap : HUP INT TERM
        trap 'lab_answer $?' EXIT
        . "$lab_files.sh"
      ) &
      eval "lab_pid_$lab_id=\$!"
      ;;
    start) setsid sh /lab/runner start "$lab_id" 3<&- 4>&- & ;;
    kill)
      eval "lab_pid=\$lab_pid_$lab_id"
      kill -9 $lab_pid $(grep -ls "LAB_TASK=$lab_id;" /proc/[0-9]*/environ | tr -dc '0-9\n')
      (lab_answer 137)
      ;;
  esac
done 2>/dev/null
