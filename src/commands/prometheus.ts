// `nullmodem status --prometheus`: the metrics of the fields' rows, in the text format of Prometheus (version 0.0.4).

import { inert } from "../bytes/text.ts";
import type { LineStatus, Status } from "../run/live/published-status.ts";
import { type Metric, STATUS_FIELDS, type StatusField, valueAt } from "./status-fields.ts";

const PREFIX = "nullmodem_";
const OF_LINE = "lines[].";

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** A metric and all its samples stand together. */
interface Family {
  readonly help: string;
  readonly samples: Sample[];
}

export function prometheusText(links: readonly Status[]): string {
  const families = new Map<string, Family>();
  const add = (name: string, help: string, labels: Labels, value: number): void => {
    const family = families.get(name) ?? { help, samples: [] };
    families.set(name, family);
    family.samples.push({ labels, value });
  };
  const named = links.map((link) => ({ link, own: labelsOf(link, links) }));
  for (const { link, own } of named) add("link_up", "1: a network protocol is up", own, link.up === undefined ? 0 : 1);
  for (const field of STATUS_FIELDS) {
    if (field.metric === undefined) continue;
    const { name, help = field.meaning } = field.metric;
    for (const { labels, value } of named.flatMap(({ link, own }) => samplesOf(link, own, field)))
      add(name, help, labels, value);
  }
  return [...families].map(([name, family]) => familyText(PREFIX + name, family)).join("");
}

function samplesOf(link: Status, own: Labels, { path, metric }: StatusField): Sample[] {
  if (metric === undefined) return [];
  if (!path.startsWith(OF_LINE)) return sampleOf(valueAt(link, path), metric, own);
  const inLine = path.slice(OF_LINE.length);
  return link.lines.flatMap((line) => sampleOf(valueAt(line, inLine), metric, { ...own, ...deviceOf(line) }));
}

function sampleOf(value: unknown, { scale = 1, labels, label }: Metric, own: Labels): Sample[] {
  const all = { ...own, ...labels };
  if (label !== undefined) return typeof value === "string" ? [{ labels: { ...all, [label]: value }, value: 1 }] : [];
  if (typeof value === "boolean") return [{ labels: all, value: value ? 1 : 0 }];
  return typeof value === "number" ? [{ labels: all, value: rounded(value * scale) }] : [];
}

/** Without the last digits of a product: 0.0123 and not 0.012300000000000002. */
function rounded(value: number): number {
  return Number(value.toPrecision(15));
}

/** Links in two network namespaces may have the same name. */
function labelsOf({ interface: name, linkname, peer, pid }: Status, links: readonly Status[]): Labels {
  const isShared = links.filter((link) => link.interface === name).length > 1;
  return {
    interface: name,
    ...(linkname && { linkname }),
    ...(peer && { peer }),
    ...(isShared && { pid: String(pid) }),
  };
}

function deviceOf({ device }: LineStatus): Labels {
  return { device };
}

function familyText(name: string, { help, samples }: Family): string {
  const type = name.endsWith("_total") ? "counter" : "gauge";
  const rows = samples.map(({ labels, value }) => `${name}{${labelsText(labels)}} ${value}\n`);
  return `# HELP ${name} ${help.replaceAll("\\", "\\\\")}\n# TYPE ${name} ${type}\n${rows.join("")}`;
}

/** What a peer calls itself can have any octets. */
function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");
}

function escaped(value: string): string {
  return inert(String(value)).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}
