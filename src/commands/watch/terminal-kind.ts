// What a terminal can do, by its name and the locale.

export interface TerminalKind {
  /** It can do nothing but print lines. */
  readonly isDumb: boolean;
  /** Letters of any script. */
  readonly isUnicode: boolean;
  /** Blocks of eight heights. */
  readonly hasBlocks: boolean;
  readonly hasColour: boolean;
  /** It has a second screen, and the first one is as it was afterwards. */
  readonly hasAlternate: boolean;
  readonly hidesCursor: boolean;
  /** It deletes a character, and the rest of the line moves. */
  readonly canShift: boolean;
  /** It may be asked whether it shows an update as a whole (DEC private mode 2026). */
  readonly mayUpdateWhole: boolean;
}

/** Terminals without ANSI's control sequences. */
const DUMB = /^(|dumb|unknown|network|dialup|plugboard|vt52|emacs|unknown-.*)$/;
const WINDOWS =
  /^(xterm|screen|tmux|rxvt|alacritty|kitty|foot|konsole|gnome|vte|putty|wezterm|ghostty|mintty|st(-|$)|contour|iterm)/;

type Environment = Readonly<Record<string, string | undefined>>;

export function terminalKind(env: Environment, isTerminal: boolean): TerminalKind {
  const { TERM = "", NO_COLOR = "" } = env;
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  const isUnicode = /utf-?8/i.test(locale);
  const isWindow = WINDOWS.test(TERM);
  const isVt100 = TERM.startsWith("vt100");
  return {
    isDumb: !isTerminal || DUMB.test(TERM),
    isUnicode,
    // The font of the Linux console has few blocks.
    hasBlocks: isUnicode && TERM !== "linux",
    hasColour: NO_COLOR === "" && (isWindow || TERM === "linux" || TERM.includes("color")),
    hasAlternate: isWindow,
    hidesCursor: !isVt100,
    canShift: !isVt100,
    mayUpdateWhole: isWindow,
  };
}
