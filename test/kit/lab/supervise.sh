# bash supervise.sh FOLDER KERNEL...: runs the kernel with our standard input as its own, line by line, until that ends, as
# it does with the process at its other end. Then nothing is left: not the kernel, not its processes, not FOLDER.

trap '' INT TERM HUP PIPE
folder=$1
shift
mkfifo "$folder/asked"
# Job control makes the kernel the leader of a process group, which is killed as a whole. And the leader of a group cannot
# leave our session for one of its own, as it tries to: there a terminal that it opens would become its controlling one,
# and the end of that terminal its own.
set -m
# It wants a descriptor of its own for each channel: 3 is another name of 2.
"$@" <"$folder/asked" 3>&2 &
kernel=$!
exec 3>"$folder/asked" >/dev/null 2>&1
while read -r line; do echo "$line" >&3; done
kill -9 "-$kernel"
wait "$kernel"
rm -rf "$folder"
