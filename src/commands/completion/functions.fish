function __nullmodem_peers --no-scope-shadowing
    for path in $etc/peers/* $etc/peers/*/*
        test -f $path; and not string match -q '*~' -- $path; and string replace -- $etc/peers/ '' $path
    end
end

function __nullmodem_links
    set -l own $XDG_RUNTIME_DIR
    set -q own[1]; or set own /nowhere
    for path in /run/nullmodem-*.stats $own/nullmodem-*.stats /run/ppp-*.pid
        string replace -r '.*/(nullmodem|ppp)-(.*)\..*' '$2' -- $path
    end
end

function __nullmodem_devices
    set -l token (commandline -ct)
    if string match -q '/*' -- $token
        __fish_complete_path $token
    else if string match -qr '^[0-9]' -- $token
        printf '%s\n' 9600 19200 38400 57600 115200 230400 460800 921600
    else
        for path in /dev/tty{S,USB,ACM,AMA,XRUSB,mxc}* /dev/rfcomm* /dev/serial/by-id/* /dev/serial/by-path/*
            test -c $path; and string replace -- /dev/ '' $path
        end
    end
end

# Offers what a word of this kind may be.
function __nullmodem_kind --no-scope-shadowing
    switch $argv[1]
        case file
            __fish_complete_path (commandline -ct)
        case folder
            __fish_complete_directories (commandline -ct)
        case command
            complete -C (commandline -ct)
        case peer
            __nullmodem_peers
        case device
            __nullmodem_devices
        case link
            __nullmodem_links
        case choice
            printf '%s\n' $choices
        case options
            __nullmodem_flags pppd
            __nullmodem_devices
    end
end

function __nullmodem_complete
    # The words before the one at the cursor, without their quotes.
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    set -l last (count $words)
    set -l program (string replace -r '.*/' '' -- $words[1])
    set -l etc /etc/ppp
    set -l at 2
    set -l place 0
    set -l kind
    set -l choices
    while test "$program" = nullmodem
        if test $at -gt $last
            __nullmodem_first
            return
        end
        if test "$words[$at]" = --config-dir
            set at (math $at + 1)
            if test $at -gt $last
                __fish_complete_directories $token
                return
            end
            set etc $words[$at]
        else if test "$words[$at]" != help
            set program $words[$at]
        end
        set at (math $at + 1)
    end
    while test $at -le $last
        set -l word $words[$at]
        if __nullmodem_value $program $word
            if test $at -eq $last
                __nullmodem_kind $kind
                return
            end
            set at (math $at + 1)
            test "$word" = --config-dir; and set etc $words[$at]
        else if test "$word" = --; and __nullmodem_takes_options $program
            set program pppd
        else if test "$program" = pppd; or not string match -qr '^[-+]' -- $word
            __nullmodem_place $program $place
            set place (math $place + 1)
            test "$kind" = options; and set program pppd
        end
        set at (math $at + 1)
    end
    if test "$program" = pppd; or string match -qr '^[-+]' -- $token
        __nullmodem_flags $program
    end
    string match -qr '^[-+]' -- $token; and return
    __nullmodem_place $program $place
    __nullmodem_kind $kind
end
