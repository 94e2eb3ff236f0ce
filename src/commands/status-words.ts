// The words of `nullmodem status`.

import { defineCommand } from "citty";
import { usageText } from "./usage-text.ts";

export const STATUS_COMMAND = defineCommand({
  meta: { name: "nullmodem status", description: "Show the links of this machine and what goes over them" },
  args: {
    link: {
      type: "positional",
      description: "only these: an interface, a linkname or a device",
      required: false,
    },
    watch: { type: "boolean", description: "a screen that is kept up to date; ? there names the keys" },
    json: { type: "boolean", description: "for programs: an array with an object a link" },
    fields: { type: "boolean", description: "the fields of --json, their units and their meaning" },
    prometheus: { type: "boolean", description: "metrics in the text format of Prometheus" },
    textfile: { type: "string", description: "write the metrics to a file, for node_exporter", valueHint: "FILE" },
    interval: {
      type: "string",
      description: "with --textfile: again and again until a signal, and the file is removed then",
      valueHint: "SECONDS",
    },
  },
});

const AFTER = `Exit codes: 0, 1 when there is no such link, 2 for wrong words. Metrics of no link
are no error.
`;

export async function statusUsage(): Promise<string> {
  return await usageText(STATUS_COMMAND, AFTER);
}

export interface StatusWish {
  readonly form: "text" | "json" | "prometheus" | "textfile" | "watch" | "fields" | "help";
  readonly names: readonly string[];
  /** Of --textfile. */
  readonly path: string;
  /** Undefined: once. */
  readonly intervalMs: number | undefined;
}

const FORMS = {
  "--watch": "watch",
  "--json": "json",
  "--prometheus": "prometheus",
  "--fields": "fields",
  "--help": "help",
  "-h": "help",
} as const;

const SHORTEST_INTERVAL = 0.1;
const LONGEST_INTERVAL = 86_400;

/** A text is what is wrong with the words. */
export function statusWish(words: readonly string[]): StatusWish | string {
  const names: string[] = [];
  const forms = new Set<StatusWish["form"]>();
  let path = "";
  let intervalMs: number | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!word.startsWith("-")) {
      names.push(word);
      continue;
    }
    const [option = "", given] = splitOption(word);
    if (option === "--textfile" || option === "--interval") {
      const value = given ?? words[++at];
      if (value === undefined || value === "") return `${option} needs a value`;
      if (option === "--textfile") {
        path = value;
        forms.add("textfile");
      } else {
        const seconds = Number(value);
        if (!(seconds >= SHORTEST_INTERVAL && seconds <= LONGEST_INTERVAL))
          return `--interval takes ${SHORTEST_INTERVAL} to ${LONGEST_INTERVAL} seconds, not ${JSON.stringify(value)}`;
        intervalMs = seconds * 1000;
      }
      continue;
    }
    const form = given === undefined ? FORMS[word as keyof typeof FORMS] : undefined;
    if (form === undefined) return `there is no option ${JSON.stringify(word)}`;
    forms.add(form);
  }
  if (forms.has("help")) return { form: "help", names, path, intervalMs };
  if (forms.size > 1) return "only one form of output can be asked for";
  const [form = "text"] = forms;
  if (intervalMs !== undefined && form !== "textfile") return "--interval goes with --textfile";
  return { form, names, path, intervalMs };
}

/** "--textfile=PATH" is one word. */
function splitOption(word: string): [string, string?] {
  const at = word.indexOf("=");
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
