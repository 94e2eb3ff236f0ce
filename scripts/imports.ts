// Who may import whom, as a program: the folders of src/ in their order, and what the core may not say.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

/** The folders a folder may import from besides itself. "main" is what lies in src/ directly. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = (() => {
  const frames = ["bytes", "crypto"];
  const layers = [...frames, "frame", "wire"];
  const link = [...layers, "filter", "compress", "auth", "control"];
  const run = [...link, "link", "options", "chat", "record", "os"];
  const main = [...run, "run", "applets", "commands"];
  return {
    bytes: [],
    crypto: ["bytes"],
    filter: ["bytes"],
    frame: frames,
    wire: frames,
    compress: layers,
    auth: layers,
    control: layers,
    link,
    options: ["bytes", "filter"],
    chat: ["bytes"],
    record: [...layers, "compress"],
    os: ["bytes"],
    run,
    applets: [...run, "run", "commands"],
    commands: [...run, "run", "applets"],
    main,
  };
})();

/** The folders that may deal with the host. All others are the core. */
const HOSTED = ["os", "run", "applets", "commands", "main"];
const PROMPTING = ["applets", "commands", "main"];

/** Where a package may be imported: folders, or single files. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  citty: PROMPTING,
  consola: PROMPTING,
  "@serialport/bindings-cpp": ["os"],
  "bun:ffi": ["os"],
  "node:crypto": ["crypto", ...HOSTED],
  pako: ["compress/deflate.ts"],
};

// Not after a dot (a member), not before a colon (a key or a member's name).
const NOT_IN_CORE =
  /(?<![.\w$#])(Date|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|performance|console|process|Bun|Buffer|globalThis|fetch|Promise|async|await|crypto\.\w+)\b(?!\s*\??:)/g;

const IMPORT = /(?<![.\w$])(?:from|import|require)\s*\(?\s*["']/g;

interface Source {
  /** The text with comments and what stands in quotes blanked; positions and lines as before. */
  readonly code: string;
  /** The text in quotes by the position of the opening one. */
  readonly quoted: ReadonlyMap<number, string>;
}

/** Tells code from comments and strings. `code` keeps the quotes and the expressions in templates. */
export function readSource(text: string): Source {
  const code = text.split("");
  const quoted = new Map<number, string>();
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at++) if (code[at] !== "\n") code[at] = " ";
  };
  /** For each template we are in, the braces open inside its expression. */
  const templates: number[] = [];
  let before = "";

  const endOf = (from: number, quote: string, isEnd: (at: number) => boolean): number => {
    let at = from;
    while (at < text.length && !isEnd(at)) at += text[at] === "\\" ? 2 : 1;
    blank(from, Math.min(at, text.length));
    before = quote;
    return at;
  };
  const template = (from: number): number => {
    const at = endOf(from, "`", (at) => text[at] === "`" || text.startsWith("${", at));
    if (text[at] !== "$") return at + 1;
    templates.push(0);
    before = "{";
    return at + 2;
  };
  const regex = (from: number): number => {
    let inClass = false;
    const at = endOf(from, ")", (at) => {
      if (text[at] === "[") inClass = true;
      if (text[at] === "]") inClass = false;
      return (text[at] === "/" && !inClass) || text[at] === "\n";
    });
    return at + 1;
  };
  const startsRegex = (): boolean =>
    before === "" ||
    /[(,=:[!&|?{};+\-*%<>~^]$/.test(before) ||
    /^(return|typeof|case|in|of|else|void|yield)$/.test(before);

  for (let at = 0; at < text.length;) {
    const char = text[at]!;
    if (text.startsWith("//", at) || text.startsWith("/*", at)) {
      const end = char + text[at + 1] === "//" ? text.indexOf("\n", at) : text.indexOf("*/", at) + 2;
      const stop = end < at ? text.length : end;
      blank(at, stop);
      at = stop;
    } else if (char === '"' || char === "'") {
      const end = endOf(at + 1, char, (at) => text[at] === char);
      quoted.set(at, text.slice(at + 1, end));
      at = end + 1;
    } else if (char === "`") {
      at = template(at + 1);
    } else if (char === "}" && templates.at(-1) === 0) {
      templates.pop();
      at = template(at + 1);
    } else if (char === "/" && startsRegex()) {
      at = regex(at + 1);
    } else if (/[\w$]/.test(char)) {
      before = /^[\w$]+/.exec(text.slice(at, at + 100))![0];
      at += before.length;
    } else {
      if (templates.length > 0 && char === "{") templates[templates.length - 1]!++;
      if (templates.length > 0 && char === "}") templates[templates.length - 1]!--;
      if (!/\s/.test(char)) before = char;
      at++;
    }
  }
  return { code: code.join(""), quoted };
}

/** What is wrong with one file, "src/…:line: message" each. `file` is relative to src/. */
export function complaintsOf(file: string, text: string, exists: (file: string) => boolean): string[] {
  const folder = file.includes("/") ? file.slice(0, file.indexOf("/")) : "main";
  const allowed = MAY_IMPORT[folder];
  if (allowed === undefined)
    return [`src/${file}:1: ${folder}/ has no place in the order of folders (scripts/imports.ts)`];
  const isCore = !HOSTED.includes(folder);
  const { code, quoted } = readSource(text);
  const complaints: { at: number; message: string }[] = [];

  for (const match of code.matchAll(IMPORT)) {
    const at = match.index + match[0].length - 1;
    const message = importComplaint(file, folder, allowed, isCore, quoted.get(at) ?? "", exists);
    if (message !== undefined) complaints.push({ at, message });
  }
  if (isCore) {
    for (const match of code.matchAll(NOT_IN_CORE)) {
      complaints.push({
        at: match.index,
        message: `the core does not know ${match[1]}: it is handed functions and data`,
      });
    }
  }
  const lineOf = (at: number): number => code.slice(0, at).split("\n").length;
  return complaints.sort((a, b) => a.at - b.at).map(({ at, message }) => `src/${file}:${lineOf(at)}: ${message}`);
}

function importComplaint(
  file: string,
  folder: string,
  allowed: readonly string[],
  isCore: boolean,
  name: string,
  exists: (file: string) => boolean,
): string | undefined {
  if (!name.startsWith(".")) {
    const place = Object.entries(PACKAGES).find(([known]) => name === known || name.startsWith(`${known}/`))?.[1];
    if (place !== undefined && (place.includes(folder) || place.includes(file))) return undefined;
    if (place !== undefined) return `"${name}" may be imported in ${place.join(", ")} only`;
    if (!/^(node|bun):/.test(name) && name !== "bun")
      return `"${name}" is not a package this project uses (scripts/imports.ts)`;
    return isCore ? `the core imports nothing of the host, so not "${name}"` : undefined;
  }
  const target = normalize(join(dirname(file), name));
  if (target.startsWith("..")) {
    // The version, and the addon that is embedded by its literal path.
    return isCore || !/(^|\/)(package\.json|node_modules\/.*\.node)$/.test(target)
      ? `"${name}" lies outside src/`
      : undefined;
  }
  if (!/\.(ts|json)$/.test(name)) return `"${name}" does not say .ts`;
  if (!exists(target)) return `"${name}" does not exist`;
  const from = target.includes("/") ? target.slice(0, target.indexOf("/")) : "main";
  if (from === folder || allowed.includes(from)) return undefined;
  const list = allowed.length === 0 ? "nothing but its own" : `its own, ${allowed.join(", ")}`;
  return `${folder}/ may not import "${name}": it imports ${list}`;
}

if (import.meta.main) {
  const src = join(import.meta.dir, "../src");
  const files = [...new Bun.Glob("**/*.ts").scanSync(src)].sort();
  const complaints = files.flatMap((file) =>
    complaintsOf(relative(".", file), readFileSync(join(src, file), "utf8"), (target) => existsSync(join(src, target))),
  );
  for (const complaint of complaints) console.error(complaint);
  console.log(
    `imports: ${files.length} files, ${complaints.length === 0 ? "all in order" : `${complaints.length} complaints`}`,
  );
  process.exit(complaints.length === 0 ? 0 : 1);
}
