# The word as the program gets it, without quotes, in $plain. readline does not replace its first $kept characters: what
# it replaces begins after the last : or =, and after a quote that is still open.
_nullmodem_unquote() {
  local char quote='' at opened=0
  plain='' kept=0
  for ((at = 0; at < ${#1}; at++)); do
    char=${1:at:1}
    if [[ -n $quote && $char == "$quote" ]]; then
      quote=''
    elif [[ $char == \\ && $quote != "'" ]]; then
      ((++at))
      plain+=${1:at:1}
    elif [[ -z $quote && $char == [\'\"] ]]; then
      quote=$char opened=${#plain}
    else
      plain+=$char
      [[ -n $quote || $char != [:=] || $COMP_WORDBREAKS != *"$char"* ]] || kept=${#plain}
    fi
  done
  [[ -z $quote ]] || kept=$opened
}

# The words up to the cursor, in $words without their quotes; $plain and $kept are those of the last one. bash splits at
# : and = too, where no blank is.
_nullmodem_split() {
  local line=${COMP_LINE:0:COMP_POINT} at piece blanks
  local -a typed=()
  for ((at = 0; at <= COMP_CWORD; at++)); do
    piece=${COMP_WORDS[at]}
    blanks=${line%%[![:blank:]]*}
    if ((at == 0)) || [[ -n $blanks ]]; then typed+=(''); fi
    line=${line#"$blanks"}
    ((at < COMP_CWORD)) || piece=$line
    typed[${#typed[@]} - 1]+=$piece
    line=${line#"$piece"}
  done
  words=()
  for piece in "${typed[@]}"; do
    _nullmodem_unquote "$piece"
    words+=("$plain")
  done
}

_nullmodem_offer() {
  local word
  for word; do
    [[ $word != "$plain"* ]] || COMPREPLY+=("${word:kept}")
  done
}

_nullmodem_peers() {
  local path folder=$etc/peers
  for path in "$folder"/* "$folder"/*/*; do
    [[ ! -f $path || $path == *~ ]] || _nullmodem_offer "${path#"$folder"/}"
  done
  # readline then puts quotes around names that need them.
  compopt -o filenames
}

_nullmodem_links() {
  local path name
  for path in /run/nullmodem-*.stats "${XDG_RUNTIME_DIR:-/nowhere}"/nullmodem-*.stats /run/ppp-*.pid; do
    name=${path##*/}
    name=${name#nullmodem-}
    name=${name#ppp-}
    [[ ! -e $path ]] || _nullmodem_offer "${name%.*}"
  done
}

_nullmodem_devices() {
  local path
  case $plain in
    /*) compopt -o default ;;
    [0-9]*) _nullmodem_offer 9600 19200 38400 57600 115200 230400 460800 921600 ;;
    *)
      for path in /dev/tty{S,USB,ACM,AMA,XRUSB,mxc}* /dev/rfcomm* /dev/serial/by-id/* /dev/serial/by-path/*; do
        [[ ! -c $path ]] || _nullmodem_offer "${path#/dev/}"
      done
      ;;
  esac
}

# Offers what a word of this kind may be.
_nullmodem_kind() {
  case $1 in
    file) compopt -o default ;;
    folder) compopt -o dirnames ;;
    command)
      [[ -z $plain ]] || mapfile -t COMPREPLY < <(compgen -c -- "$plain")
      compopt -o default
      ;;
    peer) _nullmodem_peers ;;
    device) _nullmodem_devices ;;
    link) _nullmodem_links ;;
    choice)
      # shellcheck disable=SC2086 # several words
      _nullmodem_offer $choices
      ;;
    options)
      _nullmodem_flags pppd
      # shellcheck disable=SC2086
      _nullmodem_offer $flags
      _nullmodem_devices
      ;;
  esac
}

# The program that the words before the last one name, in $program, and where its own words begin, in $at. Fails when the
# last word is one of nullmodem's own, which are offered then.
_nullmodem_program() {
  program=${words[0]##*/} at=1
  while [[ $program == nullmodem ]]; do
    if ((at >= last)); then
      # shellcheck disable=SC2086
      _nullmodem_offer $_nullmodem_first
      return 1
    fi
    if [[ ${words[at]} == --config-dir ]]; then
      ((at + 1 < last)) || { _nullmodem_kind folder && return 1; }
      etc=${words[++at]}
    elif [[ ${words[at]} != help ]]; then
      program=${words[at]}
    fi
    ((++at))
  done
}

_nullmodem() {
  local -a words
  local plain kept kind='' choices='' flags='' etc=/etc/ppp program at last word place=0
  COMPREPLY=()
  _nullmodem_split
  last=$((${#words[@]} - 1))
  _nullmodem_program || return 0
  for (( ; at < last; at++)); do
    word=${words[at]}
    if _nullmodem_value "$program" "$word"; then
      if ((at + 1 == last)); then
        _nullmodem_kind "$kind"
        return 0
      fi
      ((++at))
      [[ $word != --config-dir ]] || etc=${words[at]}
    elif [[ $word == -- ]] && _nullmodem_takes_options "$program"; then
      program=pppd
    elif [[ $program == pppd || $word != [-+]* ]]; then
      _nullmodem_place "$program" "$place"
      ((++place))
      [[ $kind != options ]] || program=pppd
    fi
  done
  _nullmodem_flags "$program"
  # shellcheck disable=SC2086
  [[ $program != pppd && $plain != [-+]* ]] || _nullmodem_offer $flags
  [[ $plain != [-+]* ]] || return 0
  _nullmodem_place "$program" "$place"
  _nullmodem_kind "$kind"
}
