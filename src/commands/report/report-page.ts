// A session as a page of HTML: one file that needs nothing else, runs nothing, and asks nobody for anything.

import { inert } from "../../bytes/text.ts";
import type { Samples } from "../../record/sample-series.ts";
import { durationText, sizeText } from "../../transfer/progress-text.ts";
import { type Curve, escaped, graphSvg } from "./line-graph.ts";

/** A row of a table: what it is, and its value. */
export type Fact = readonly [name: string, value: string];

export interface ReportEvent {
  /** Seconds since the beginning. */
  readonly seconds: number;
  readonly text: string;
}

export interface Report {
  readonly title: string;
  /** What was used, and where. */
  readonly facts: readonly Fact[];
  /** Undefined: nothing is known of its course. */
  readonly samples: Samples | undefined;
  /** What the two ends said to each other, without secrets. */
  readonly events: readonly ReportEvent[];
  /** Parts as plain text, each with its heading. */
  readonly texts: readonly (readonly [heading: string, text: string])[];
}

const STYLE = `
:root { color-scheme: light dark; --in: #0969da; --out: #bc4c00; --bad: #cf222e; --rtt: #8250df; --rule: #8884; }
@media (prefers-color-scheme: dark) { :root { --in: #58a6ff; --out: #f0883e; --bad: #ff7b72; --rtt: #bc8cff; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 0.4rem; }
table { border-collapse: collapse; } th { text-align: left; font-weight: 600; padding-right: 1.5rem; vertical-align: top; }
td { overflow-wrap: anywhere; } figure { margin: 0.6rem 0; } figcaption b { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.rule { stroke: var(--rule); fill: none; } .curve { stroke-width: 1.6; fill: none; stroke: currentColor; }
.in { stroke: var(--in); color: var(--in); } .out { stroke: var(--out); color: var(--out); }
.bad { stroke: var(--bad); color: var(--bad); } .rtt { stroke: var(--rtt); color: var(--rtt); }
pre { overflow-x: auto; font-size: 0.8rem; }
`;

export function reportPage(report: Report): string {
  const { title, facts, samples, events, texts } = report;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${shown(title)}</title>
<style>${STYLE}</style></head><body>
<h1>${shown(title)}</h1>
<table>
${facts.map(([name, value]) => `<tr><th>${shown(name)}</th><td>${shown(value)}</td></tr>\n`).join("")}</table>
${samples === undefined || samples.in.length === 0 ? "" : graphs(samples)}${events.length === 0 ? "" : eventList(events)}
${texts.map(([heading, text]) => `<h2>${shown(heading)}</h2>\n<pre>${lines(text)}</pre>\n`).join("")}</body></html>
`;
}

function graphs(samples: Samples): string {
  const { every } = samples;
  const rate = (octets: readonly number[]): number[] => octets.map((value) => value / every);
  const perSecond = (value: number): string => `${sizeText(value)}/s`;
  const answered = samples.rtt.map((value) => (value < 0 ? undefined : value));
  const hasEchoes = answered.some((value) => value !== undefined);
  const parts = [
    figure(
      "Octets of packets",
      [
        { name: "received", style: "in", values: rate(samples.in) },
        { name: "sent", style: "out", values: rate(samples.out) },
      ],
      every,
      perSecond,
    ),
    figure("Bad frames", [{ name: "received", style: "bad", values: samples.bad }], every, (value) =>
      String(Math.round(value * 10) / 10),
    ),
    hasEchoes
      ? figure(
          "Round trip",
          [{ name: "LCP echo", style: "rtt", values: answered }],
          every,
          (value) => `${value.toFixed(0)} ms`,
        )
      : "<h2>Round trip</h2>\n<p>No LCP echo was answered (lcp-echo-interval asks for them).</p>\n",
  ];
  return `${parts.join("")}<details><summary>The numbers</summary><pre>${table(samples)}</pre></details>\n`;
}

function figure(
  heading: string,
  curves: readonly Curve[],
  every: number,
  valueText: (value: number) => string,
): string {
  const captions = curves.map(({ name, style, values }) => {
    const known = values.filter((value) => value !== undefined);
    const most = Math.max(0, ...known);
    const average = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
    return `<b class="${style}">${escaped(name)}</b>: ${escaped(valueText(average))} on average, ${escaped(valueText(most))} at most`;
  });
  const svg = graphSvg({ label: `${heading} over time`, curves, every, valueText });
  return `<h2>${escaped(heading)}</h2>
<figure>${svg}<figcaption>${captions.join("; ")}. Each step is ${escaped(durationText(every))}.</figcaption></figure>
`;
}

function table({ every, in: received, out: sent, bad, rtt }: Samples): string {
  const rows = received.map((octets, at) =>
    [at * every, octets, sent[at], bad[at], rtt[at]! < 0 ? "" : rtt[at]].join("\t"),
  );
  return ["seconds\treceived\tsent\tbad\tms", ...rows].join("\n");
}

function eventList(events: readonly ReportEvent[]): string {
  const rows = events.map(({ seconds, text }) => `${seconds.toFixed(1).padStart(9)}  ${shown(text)}`);
  return `<h2>What was said</h2>\n<pre>${rows.join("\n")}</pre>\n`;
}

/** A text of the peer's may be in it. */
function shown(text: string): string {
  return escaped(inert(text));
}

function lines(text: string): string {
  return text.split("\n").map(shown).join("\n");
}
