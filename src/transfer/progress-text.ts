// How far a transfer is, as one line of a terminal.

import { shown } from "./remote-path.ts";

export interface Progress {
  /** The path of the file that is carried. */
  readonly path: string;
  readonly done: number;
  readonly total: number;
  /** Octets a second. Undefined: not known yet. */
  readonly rate: number | undefined;
  /** Why nothing moves. */
  readonly waiting?: string | undefined;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];
const LEAST_BAR = 10;
const MOST_BAR = 40;
const LEAST_NAME = 8;

/** "11.4 kB": three digits, in units of a thousand. */
export function sizeText(octets: number): string {
  let unit = 0;
  let value = Math.max(0, octets);
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** "9 s", "12 min", "3 h 20 min", "4 days". */
export function durationText(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** The time of a whole transfer, as exact as it is shown, so that a rate over it agrees with what is read. */
export function shownSeconds(seconds: number): number {
  return Math.max(0.1, seconds < 9.95 ? Math.round(seconds * 10) / 10 : Math.round(seconds));
}

/** "0.3 s", "12 s", "12 min": of {@link shownSeconds}. */
export function tookText(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : durationText(seconds);
}

/** A text of at most `width` columns. */
export function progressText(progress: Progress, width: number): string {
  const { path, done, total, rate, waiting } = progress;
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const facts = [
    `${String(Math.floor(share * 100)).padStart(3)} %`,
    `${sizeText(done)} of ${sizeText(total)}`,
    ...(waiting !== undefined ? [`waiting: ${waiting}`] : rateTexts(total - done, rate)),
  ];
  // Where there is no room for all, the sizes go first, then what is last.
  const short = [facts[0]!, ...facts.slice(2)];
  const texts = [facts, short, short.slice(0, 2), short.slice(0, 1)].map((some) => some.join("  "));
  const text = texts.find((candidate) => Bun.stringWidth(candidate) <= width) ?? "";
  let room = width - Bun.stringWidth(text);
  const bar = room >= LEAST_BAR + 4 ? barText(share, Math.min(MOST_BAR, Math.floor(room / 2) - 2)) : "";
  room -= bar === "" ? 1 : bar.length + 2;
  const name = room >= LEAST_NAME ? `${shortened(shown(path), room)} ` : "";
  return `${name}${bar === "" ? "" : `${bar} `}${text}`;
}

function rateTexts(left: number, rate: number | undefined): string[] {
  if (rate === undefined) return [];
  const rateText = `${sizeText(rate)}/s`;
  return rate > 0 ? [rateText, `${durationText(left / rate)} left`] : [rateText];
}

function barText(share: number, width: number): string {
  const full = Math.round(share * width);
  return `[${"#".repeat(full)}${".".repeat(Math.max(0, width - full))}]`;
}

/** Leaves out the middle of a text: its end says more than its middle. */
export function shortened(text: string, width: number): string {
  if (Bun.stringWidth(text) <= width) return text;
  const chars = Array.from(text);
  let end = chars.length;
  let tail = "";
  while (end > 0 && Bun.stringWidth(tail) < Math.ceil((width - 1) / 2)) tail = `${chars[--end]}${tail}`;
  let head = "";
  for (const char of chars.slice(0, end)) {
    if (Bun.stringWidth(`${head}${char}${tail}`) > width - 1) break;
    head += char;
  }
  while (Bun.stringWidth(`${head}~${tail}`) > width) tail = Array.from(tail).slice(1).join("");
  return `${head}~${tail}`;
}
