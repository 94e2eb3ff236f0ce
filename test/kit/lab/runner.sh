# Takes one line from the host, does what it says and answers; its successor waits for the next line meanwhile. In a
# session of its own, so that what it started can be killed.

read -r lab_verb lab_id || poweroff -f
exec 3<&0 </dev/null
lab_files=/lab/host/$lab_id
case $lab_verb in
  run) (. "$lab_files.sh") >"$lab_files.out" 2>"$lab_files.err" 3<&- & ;;
  start) (. "$lab_files.sh") >/lab/said 2>&1 3<&- & ;;
  # That one's runner ends too, so it is this one that answers.
  kill) kill -9 "-$(cat "/lab/$lab_id.pid")" & ;;
esac
lab_task=$!
[ "$lab_verb" = kill ] || echo $$ >"/lab/$lab_id.pid"
setsid sh /lab/runner <&3 &
exec 3<&-
wait $lab_task
lab_status=$?
if [ "$lab_verb" = start ]; then
  # Said where its output goes, so that neither overtakes the other.
  printf '\002%s %s\n' "$lab_id" $lab_status >/lab/said
else
  # The host sees what was written when nobody has the file open any more, but a process left behind may have.
  if [ -s "$lab_files.out" ] || [ -s "$lab_files.err" ]; then sync; fi
  printf '\002%s %s\n' "$lab_id" $lab_status
fi
