// Fetches a page for the demo: bun scripts/demo/fetch.ts URL. It says how many octets came, and how long it took.

const url = process.argv[2] ?? "";
const started = performance.now();
const response = await fetch(url);
const { length } = await response.text();
const seconds = (performance.now() - started) / 1000;
console.log(`${response.status}: ${length} bytes of ${url} in ${seconds.toFixed(1)} s`);
process.exit(response.ok ? 0 : 1);
export {};
