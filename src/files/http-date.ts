// Dates of HTTP (RFC 9110 §5.6.7) and of pages, from seconds since 1970 and back, without a clock.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 86400;
/** Years outside of these have no date of four digits. */
const EARLIEST = -62135596800;
const LATEST = 253402300799;

export interface Moment {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

export function momentOf(seconds: number): Moment {
  const whole = Math.floor(Math.min(Math.max(seconds, EARLIEST), LATEST));
  const days = Math.floor(whole / DAY);
  const rest = whole - days * DAY;
  // A year that begins in March has its leap day at its end. 719468 days lie between 0000-03-01 and 1970-01-01.
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const ofEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36524) - Math.floor(ofEra / 146096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(rest / 3600),
    minute: Math.floor((rest % 3600) / 60),
    second: rest % 60,
  };
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/** "Sun, 06 Nov 1994 08:49:37 GMT" */
export function httpDate(seconds: number): string {
  const { year, month, day, weekday, hour, minute, second } = momentOf(seconds);
  const date = `${two(day)} ${MONTHS[month - 1]} ${String(year).padStart(4, "0")}`;
  return `${DAYS[weekday]}, ${date} ${two(hour)}:${two(minute)}:${two(second)} GMT`;
}

/** "1994-11-06 08:49" */
export function plainDate(seconds: number): string {
  const { year, month, day, hour, minute } = momentOf(seconds);
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}`;
}

/** Reads the three forms of RFC 9110 §5.6.7. Undefined: it is none of them. */
export function parseHttpDate(text: string): number | undefined {
  const [, day, month, year, hour, minute, second] =
    /^\w{3,9}, (\d{2})[ -](\w{3})[ -](\d{2,4}) (\d{2}):(\d{2}):(\d{2}) GMT/.exec(text) ?? asctime(text) ?? [];
  const at = MONTHS.indexOf(month ?? "");
  if (at < 0) return undefined;
  const short = Number(year);
  const full = year!.length > 2 ? short : short + (short < 70 ? 2000 : 1900);
  return daysUntil(full, at + 1, Number(day)) * DAY + Number(hour) * 3600 + Number(minute) * 60 + Number(second);
}

/** "Sun Nov  6 08:49:37 1994", its parts in the order of the other forms. */
function asctime(text: string): string[] | undefined {
  const [, month, day, hour, minute, second, year] =
    /^\w{3} (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/.exec(text) ?? [];
  return month === undefined ? undefined : ["", day!, month, year!, hour!, minute!, second!];
}

/** Days from 1970-01-01. */
function daysUntil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + ofYear - 719468;
}
