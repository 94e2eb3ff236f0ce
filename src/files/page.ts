// The page of a folder in HTML 3.2, for browsers from 1996 on. Nothing in it needs a script. Each entry is a line of preformatted
// text, because an old browser shows a table only when its end has come. Entries leave while they are read from the disk.
//
// A browser of today also loads one script, which makes the page better (ASSETS in site.ts). The script finds what it needs by the
// names in the page: the form "send", and the lines of "list".

import type { Entry } from "./folder-entries.ts";
import type { Path } from "./folder.ts";
import { plainDate } from "./http-date.ts";
import { type Charset, shownName, widthOf } from "./page-text.ts";
import { escapeOctets } from "./http-request.ts";

const COLUMNS = 44;

export interface PageFacts {
  readonly path: Path;
  readonly charset: Charset;
  readonly isWritable: boolean;
  /** The address of the script. Undefined: there is none. */
  readonly script: string | undefined;
  /** Names of eight and three characters for long ones. Undefined: names are shown as they are. */
  readonly shortNames: ReadonlyMap<string, string> | undefined;
  zoneAt(seconds: number): number;
}

const DOCTYPE = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">';

/** The page in pieces, in its character set. */
export function* pageOf(entries: Iterable<Entry>, facts: PageFacts): Generator<string> {
  yield head(facts);
  let count = 0;
  for (const entry of entries) {
    count++;
    yield line(entry, facts);
  }
  yield `</PRE>${count === 0 ? "<P>Nothing is here." : ""}\n${tail(facts)}</BODY></HTML>\n`;
}

function head({ path, charset, isWritable, shortNames }: PageFacts): string {
  const title = path.length === 0 ? "Files" : shownName(path.at(-1)!, charset);
  const meta = `<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=${charset}">`;
  // A rule of one line keeps a page of today readable on a small screen.
  const view = '<META NAME="viewport" CONTENT="width=device-width">';
  const form = isWritable
    ? '<FORM NAME="send" METHOD="POST" ENCTYPE="multipart/form-data" ACTION="./">' +
      'Send a file: <INPUT TYPE="file" NAME="file"> <INPUT TYPE="submit" VALUE="Send"></FORM>\n'
    : "";
  const names = shortNames === undefined ? "" : "?names=8.3";
  const up = path.length === 0 ? "" : `<A HREF="../${names}">Up</A> | `;
  const all = '<P>All as <A HREF="./?tar">.tar</A>, <A HREF="./?zip">.zip</A>';
  const other = shortNames === undefined ? '<A HREF="./?names=8.3">Short names</A>' : '<A HREF="./">Long names</A>';
  return (
    `${DOCTYPE}\n<HTML><HEAD>${meta}${view}\n<TITLE>${title}</TITLE></HEAD><BODY>\n<H1>${trail(path, charset)}</H1>\n${form}` +
    `${up === "" ? all : all.replace("<P>", `<P>${up}`)} | ${other}\n<PRE ID="list">\n`
  );
}

/** The folders on the way here. */
function trail(path: Path, charset: Charset): string {
  const parts = path.map((name, at) => {
    const shown = shownName(name, charset);
    const up = path.length - 1 - at;
    return up === 0 ? shown : `<A HREF="${"../".repeat(up)}">${shown}</A>`;
  });
  return path.length === 0 ? "Files" : [`<A HREF="${"../".repeat(path.length)}">Files</A>`, ...parts].join(" / ");
}

function line({ name, stat }: Entry, { charset, shortNames, zoneAt }: PageFacts): string {
  const given = shortNames?.get(name) ?? name;
  const slash = stat.kind === "folder" ? "/" : "";
  const short = shortNames === undefined || slash === "" ? "" : "?names=8.3";
  const link = `<A HREF="./${escapeOctets(given)}${slash}${short}">${shownName(given, charset)}${slash}</A>`;
  const gap = " ".repeat(Math.max(1, COLUMNS - widthOf(given) - slash.length));
  const date = plainDate(stat.mtime + zoneAt(stat.mtime));
  return `${link}${gap}${slash === "" ? String(stat.size).padStart(12) : " ".repeat(12)}  ${date}\n`;
}

/** LANGUAGE keeps the script from Netscape 3, and TYPE from its successors: neither knows the word. */
function tail({ script }: PageFacts): string {
  return script === undefined ? "" : `<SCRIPT LANGUAGE="module" TYPE="module" SRC="${script}"></SCRIPT>\n`;
}
