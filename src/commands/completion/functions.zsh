_nullmodem_peers() {
  _path_files -W "$etc/peers" -F '*~'
}

_nullmodem_links() {
  local -a found=(/run/nullmodem-*.stats(N:t:r) ${XDG_RUNTIME_DIR:-/nowhere}/nullmodem-*.stats(N:t:r) /run/ppp-*.pid(N:t:r))
  found=(${${found#nullmodem-}#ppp-})
  compadd -a found
}

_nullmodem_devices() {
  if [[ $PREFIX == /* ]]; then
    _files
  elif [[ $PREFIX == [0-9]* ]]; then
    compadd 9600 19200 38400 57600 115200 230400 460800 921600
  else
    local -a found=(/dev/tty(S|USB|ACM|AMA|XRUSB|mxc)*(N%c) /dev/rfcomm*(N%c) /dev/serial/by-(id|path)/*(N))
    found=(${found#/dev/})
    compadd -a found
  fi
}

# Offers what a word of this kind may be.
_nullmodem_kind() {
  case $1 in
    (file) _files ;;
    (folder) _files -/ ;;
    (command) _command_names -e || _files ;;
    (peer) _nullmodem_peers ;;
    (device) _nullmodem_devices ;;
    (link) _nullmodem_links ;;
    (choice) compadd -- ${=choices} ;;
    (options)
      _nullmodem_flags pppd
      _describe -V option flags
      _nullmodem_devices
      ;;
    (*) _message "no more is known of this word" ;;
  esac
}

_nullmodem() {
  local etc=/etc/ppp kind= choices= word program=${${(Q)words[1]}:t}
  local -i at=2 place=0
  local -a flags
  while [[ $program == nullmodem ]]; do
    if (( at >= CURRENT )); then
      _describe -V command _nullmodem_first
      return
    fi
    word=${(Q)words[at]}
    if [[ $word == --config-dir ]]; then
      if (( at + 1 >= CURRENT )); then
        _files -/
        return
      fi
      etc=${(Q)words[++at]}
    elif [[ $word != help ]]; then
      program=$word
    fi
    (( ++at ))
  done
  for (( ; at < CURRENT; at++ )); do
    word=${(Q)words[at]}
    if _nullmodem_value "$program" "$word"; then
      if (( at + 1 == CURRENT )); then
        _nullmodem_kind "$kind"
        return
      fi
      (( ++at ))
      [[ $word != --config-dir ]] || etc=${(Q)words[at]}
    elif [[ $word == -- ]] && _nullmodem_takes_options "$program"; then
      program=pppd
    elif [[ $program == pppd || $word != [-+]* ]]; then
      _nullmodem_place "$program" "$place"
      (( ++place ))
      [[ $kind != options ]] || program=pppd
    fi
  done
  _nullmodem_flags "$program"
  if [[ $program == pppd || $PREFIX == [-+]* ]]; then _describe -V option flags; fi
  [[ $PREFIX != [-+]* ]] || return 0
  _nullmodem_place "$program" "$place"
  _nullmodem_kind "$kind"
}
