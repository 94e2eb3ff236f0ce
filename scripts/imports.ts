// Who may import whom, as a program: the folders of src/ in their order, and what the core may not say.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { readSource } from "./source-text.ts";

/** The folders a folder may import from besides itself. "main" is what lies in src/ directly. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = (() => {
  const frames = ["bytes", "crypto"];
  const layers = [...frames, "frame", "wire"];
  const link = [...layers, "filter", "compress", "auth", "control", "describe"];
  const run = [...link, "link", "front", "stack", "proxy", "queue", "files", "options", "chat", "record"];
  const main = [...run, "run", "os", "transfer", "applets", "commands"];
  return {
    bytes: [],
    crypto: ["bytes"],
    filter: ["bytes"],
    frame: frames,
    wire: frames,
    compress: layers,
    auth: layers,
    control: [...layers, "compress"],
    describe: [...layers, "compress", "control"],
    link,
    front: [...layers],
    stack: ["bytes", "wire"],
    proxy: ["bytes", "wire", "stack"],
    queue: ["bytes", "wire"],
    files: ["bytes", "crypto", "auth"],
    options: ["bytes", "filter"],
    chat: ["bytes"],
    record: [...layers, "compress"],
    os: ["bytes"],
    run,
    transfer: ["bytes", "os"],
    applets: [...run, "run", "os"],
    commands: [...run, "run", "os", "transfer", "applets"],
    main,
  };
})();

/** The folders that may deal with the host. run/ asks its Machine; all others are the core. */
const HOSTED = ["os", "transfer", "applets", "commands", "main"];
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

/** The same for run/, which may wait (async, Promise) and may use Buffer. */
const NOT_IN_RUN =
  /(?<![.\w$#])(Date|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|performance|console|process|Bun|globalThis|fetch|crypto\.\w+)\b(?!\s*\??:)/g;

const IMPORT = /(?<![.\w$])(?:from|import|require)\s*\(?\s*["']/g;

/** What is wrong with one file, "src/…:line: message" each. `file` is relative to src/. */
export function complaintsOf(file: string, text: string, exists: (file: string) => boolean): string[] {
  const folder = file.includes("/") ? file.slice(0, file.indexOf("/")) : "main";
  const allowed = MAY_IMPORT[folder];
  if (allowed === undefined)
    return [`src/${file}:1: ${folder}/ has no place in the order of folders (scripts/imports.ts)`];
  const isHosted = HOSTED.includes(folder);
  const { code, quoted } = readSource(text);
  const complaints: { at: number; message: string }[] = [];

  for (const match of code.matchAll(IMPORT)) {
    const at = match.index + match[0].length - 1;
    const message = importComplaint(file, folder, allowed, isHosted, quoted.get(at) ?? "", exists);
    if (message !== undefined) complaints.push({ at, message });
  }
  if (!isHosted) {
    const isRun = folder === "run";
    for (const match of code.matchAll(isRun ? NOT_IN_RUN : NOT_IN_CORE)) {
      const message = isRun
        ? `run/ does not know ${match[1]}: it asks its Machine`
        : `the core does not know ${match[1]}: it is handed functions and data`;
      complaints.push({ at: match.index, message });
    }
  }
  const lineOf = (at: number): number => code.slice(0, at).split("\n").length;
  return complaints.sort((a, b) => a.at - b.at).map(({ at, message }) => `src/${file}:${lineOf(at)}: ${message}`);
}

function importComplaint(
  file: string,
  folder: string,
  allowed: readonly string[],
  isHosted: boolean,
  name: string,
  exists: (file: string) => boolean,
): string | undefined {
  if (!name.startsWith(".")) {
    const place = Object.entries(PACKAGES).find(([known]) => name === known || name.startsWith(`${known}/`))?.[1];
    if (place !== undefined && (place.includes(folder) || place.includes(file))) return undefined;
    if (place !== undefined) return `"${name}" may be imported in ${place.join(", ")} only`;
    if (!/^(node|bun):/.test(name) && name !== "bun")
      return `"${name}" is not a package this project uses (scripts/imports.ts)`;
    return isHosted ? undefined : `only the hosted folders import the host, so not "${name}" here`;
  }
  const target = normalize(join(dirname(file), name));
  if (target.startsWith("..")) {
    // The version, and the addon that is embedded by its literal path.
    return !isHosted || !/(^|\/)(package\.json|node_modules\/.*\.node)$/.test(target)
      ? `"${name}" lies outside src/`
      : undefined;
  }
  if (!/\.(ts|json|bash|zsh|fish)$/.test(name)) return `"${name}" does not say .ts`;
  if (!exists(target)) return `"${name}" does not exist`;
  const from = target.includes("/") ? target.slice(0, target.indexOf("/")) : "main";
  if (from === folder || allowed.includes(from)) return undefined;
  const list = allowed.length === 0 ? "nothing but its own" : `its own, ${allowed.join(", ")}`;
  return `${folder}/ may not import "${name}": it imports ${list}`;
}

/** A file's imports of other files of src/, relative to src/: the target, and the names taken from it. */
interface FileImport {
  readonly target: string;
  /** "*" where all names may be used (a namespace, import() or a re-export of everything). */
  readonly names: readonly string[];
}

const CLAUSE =
  /(?<![.\w$])(?:import|export)\s+(?:type\s+)?(?:([\w$]+)\s*,?\s*)?(?:\{([^}]*)\}|(\*)(?:\s+as\s+[\w$]+)?)?\s*from\s*["']|(?<![.\w$])import\s*\(?\s*["']/g;

/** What the text of a file imports by relative paths. */
export function importsOf(file: string, text: string): FileImport[] {
  const { code, quoted } = readSource(text);
  const found: FileImport[] = [];
  for (const match of code.matchAll(CLAUSE)) {
    const name = quoted.get(match.index + match[0].length - 1) ?? "";
    if (!name.startsWith(".")) continue;
    const named = match[2]?.split(",").map(
      (part) =>
        part
          .trim()
          .replace(/^type\s+/, "")
          .split(/\s+as\s+/)[0]!,
    );
    const names = named === undefined ? ["*"] : named.filter((one) => one !== "");
    found.push({ target: normalize(join(dirname(file), name)), names });
  }
  return found;
}

/** Groups of files that import each other in a circle (Tarjan's strongly connected components of two files and more). */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!imports.has(target)) continue;
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
}

const EXPORT =
  /(?<![.\w$])export\s+(?:(?:async|abstract|declare)\s+)*(function\*?|class|interface|type|const|let|enum)\s+([\w$]+)/g;

/**
 * Exports of the sources that no other file imports, "file: name" each. Paths are relative to one folder. A type that its
 * own file uses counts as used: it may stand in the signature of something else that is exported.
 */
export function unusedExports(sources: ReadonlyMap<string, string>, users: ReadonlyMap<string, string>): string[] {
  const used = new Map<string, Set<string>>();
  for (const [file, text] of [...sources, ...users])
    for (const { target, names } of importsOf(file, text)) {
      const set = used.get(target) ?? new Set();
      for (const name of names) set.add(name);
      used.set(target, set);
    }
  return [...sources].flatMap(([file, text]) => {
    const names = used.get(file) ?? new Set();
    if (names.has("*")) return [];
    const { code } = readSource(text);
    const isUsed = (kind: string, name: string): boolean =>
      names.has(name) || (/interface|type/.test(kind) && code.split(new RegExp(`\\b${name}\\b`)).length > 2);
    const exported = [...code.matchAll(EXPORT)].map(([, kind = "", name = ""]) => ({ kind, name }));
    return exported.filter(({ kind, name }) => !isUsed(kind, name)).map(({ name }) => `${file}: ${name}`);
  });
}

function textsIn(root: string, ...folders: readonly string[]): Map<string, string> {
  const files = folders.flatMap((folder) => [...new Bun.Glob(`${folder}/**/*.ts`).scanSync(root)]).sort();
  return new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
}

if (import.meta.main) {
  const root = join(import.meta.dir, "..");
  const src = join(root, "src");
  const files = [...new Bun.Glob("**/*.ts").scanSync(src)].sort();
  const complaints = files.flatMap((file) =>
    complaintsOf(relative(".", file), readFileSync(join(src, file), "utf8"), (target) => existsSync(join(src, target))),
  );
  const sources = textsIn(root, "src");
  const graph = new Map([...sources].map(([file, text]) => [file, importsOf(file, text).map(({ target }) => target)]));
  for (const circle of circlesIn(graph)) complaints.push(`these import each other in a circle: ${circle.join(", ")}`);
  for (const unused of unusedExports(sources, textsIn(root, "scripts", "test")))
    complaints.push(`${unused} is exported, and no other file imports it`);
  for (const complaint of complaints) console.error(complaint);
  console.log(
    `imports: ${files.length} files, ${complaints.length === 0 ? "all in order" : `${complaints.length} complaints`}`,
  );
  process.exit(complaints.length === 0 ? 0 : 1);
}
