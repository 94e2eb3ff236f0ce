// The script of the page, for browsers of today. It takes files and folders that are dropped on the page, and saves files. Both
// go on after the line was down: by offset and token up (uploads.ts), by ranges down. What arrived is compared by SHA-256, of
// which the script has its own: a browser offers none to a page without TLS.
//
// One thing is carried at a time, small ones first, so that a slow line finishes something soon. While a file is sent, the server
// is asked what it has: a browser counts octets that are still in the buffers of its own machine. An answer to this question when
// nothing else moves also shows that the connection is dead and not the line.
//
// It goes over the line compressed.

export const PAGE_SCRIPT = String.raw`const form = document.forms.send, list = document.getElementById("list"), dir = location.pathname;
const jobs = [], samples = [];
let running, paused, stop, total = 0, before = 0, now = 0, moved = 0, note = "", wake;
const sleep = ms => new Promise(go => setTimeout(go, ms));

const K = [], H = [];
for (let p = 2; K.length < 64; p++) {
  let q = 2;
  while (q * q <= p && p % q) q++;
  if (q * q <= p) continue;
  if (H.length < 8) H.push((p ** 0.5 * 2 ** 32) | 0);
  K.push((p ** (1 / 3) * 2 ** 32) | 0);
}
function sha() {
  const h = H.slice(), w = new Int32Array(64), rest = new Uint8Array(64);
  let fill = 0, count = 0;
  function block(b, o) {
    for (let i = 0; i < 16; i++, o += 4) w[i] = (b[o] << 24) | (b[o + 1] << 16) | (b[o + 2] << 8) | b[o + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
        (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
    }
    let [a, c, d, e, f, g, j, k] = h;
    for (let i = 0; i < 64; i++) {
      const t = (k + (((f >>> 6) | (f << 26)) ^ ((f >>> 11) | (f << 21)) ^ ((f >>> 25) | (f << 7))) +
        ((f & g) ^ (~f & j)) + K[i] + w[i]) | 0;
      const u = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) +
        ((a & c) ^ (a & d) ^ (c & d))) | 0;
      k = j; j = g; g = f; f = (e + t) | 0; e = d; d = c; c = a; a = (t + u) | 0;
    }
    [a, c, d, e, f, g, j, k].forEach((v, i) => (h[i] = (h[i] + v) | 0));
  }
  const add = b => {
    count += b.length;
    let o = 0;
    while (o < b.length) {
      if (!fill && b.length - o >= 64) { block(b, o); o += 64; continue; }
      const n = Math.min(64 - fill, b.length - o);
      rest.set(b.subarray(o, o + n), fill);
      fill += n; o += n;
      if (fill == 64) { block(rest, 0); fill = 0; }
    }
  };
  const end = () => {
    const n = count, z = new Uint8Array(((fill < 56 ? 64 : 128) - fill));
    z[0] = 128;
    new DataView(z.buffer).setUint32(z.length - 8, n / 2 ** 29);
    new DataView(z.buffer).setUint32(z.length - 4, n * 8);
    add(z);
    return h.map(v => (v >>> 0).toString(16).padStart(8, "0")).join("");
  };
  return { add, end };
}
const textHash = text => { const s = sha(); s.add(new TextEncoder().encode(text)); return s.end(); };
const base64 = hex => btoa(hex.replace(/../g, d => String.fromCharCode(parseInt(d, 16))));
async function fileHash(file) {
  const s = sha();
  for (let at = 0; at < file.size; at += 1 << 20) s.add(new Uint8Array(await file.slice(at, at + (1 << 20)).arrayBuffer()));
  return s.end();
}

const ask = (method, url, headers) => {
  const limit = new AbortController(), timer = setTimeout(() => limit.abort(), 20000);
  return fetch(url, { method, headers, cache: "no-store", signal: limit.signal }).finally(() => clearTimeout(timer));
};
const fail = text => { throw { text }; };
async function patiently(act) {
  for (;;) {
    while (paused) await new Promise(go => (wake = go));
    if (!running) fail("");
    let got;
    try { got = await act(); } catch (e) { if (e && e.text !== undefined) throw e; }
    if (got === 1) return;
    if (got === undefined && !paused && running) { note = "waiting for the line"; show(); await sleep(1500); }
  }
}
function reach(at) {
  if (at > now) moved += at - now;
  now = at;
  note = "";
  show();
}
async function has(url, hash) {
  const limit = new AbortController();
  let asks;
  stop = () => limit.abort();
  const timer = setInterval(async () => {
    if (asks) return;
    asks = 1;
    await ask("HEAD", "/").catch(() => limit.abort());
    asks = 0;
  }, 10000);
  note = "being compared";
  show();
  try {
    const r = await fetch(url + "?hash=sha256", { cache: "no-store", signal: limit.signal });
    return (await r.text()).includes(hash);
  } finally { clearInterval(timer); stop = undefined; note = ""; }
}

const offset = (url, id) => ask("HEAD", url, { "Upload-Id": id }).then(r => r.ok ? +r.headers.get("Upload-Offset") || 0 : undefined);
function put(url, headers, body, id, from) {
  return new Promise(done => {
    const x = new XMLHttpRequest(), to = from + body.size;
    let had = from, same = 0;
    const timer = setInterval(async () => {
      const at = await offset(url, id).catch(() => undefined);
      if (x.readyState == 4) return;
      if (at === undefined) { note = "waiting for the line"; return show(); }
      same = at == had && at < to ? same + 1 : 0;
      had = at;
      if (at > now) reach(at); else show();
      if (same > 6) x.abort();
    }, 2500);
    x.onloadend = () => { clearInterval(timer); stop = undefined; done(x); };
    x.open("PUT", url);
    for (const name in headers) x.setRequestHeader(name, headers[name]);
    stop = () => x.abort();
    x.send(body);
  });
}
async function send({ file, url }) {
  const { size } = file, id = textHash([url, size, file.lastModified].join()).slice(0, 32), unreadable = e => fail("cannot be read: " + e.message), hash = fileHash(file).catch(unreadable);
  hash.catch(() => 0);
  let at = size > 65536 ? undefined : 0, sentAll, tries = 0;
  await patiently(async () => {
    await file.slice(0, 1).arrayBuffer().catch(unreadable);
    if (at === undefined) at = await offset(url, id);
    if (at === undefined) return;
    if (!at && sentAll && await has(url, await hash)) return 1;
    const from = at, to = size - from > 65536 ? size - 32768 : size;
    const headers = { "X-File-Mtime": Math.floor(file.lastModified / 1000) };
    if (size) {
      headers["Upload-Id"] = id;
      headers["Content-Range"] = "bytes " + (from < to ? from + "-" + (to - 1) : "*") + "/" + size;
    }
    if (to == size) { headers["Repr-Digest"] = "sha-256=:" + base64(await hash) + ":"; sentAll = 1; }
    now = from;
    at = undefined;
    const x = await put(url, headers, file.slice(from, to), id, from), { status } = x, had = x.getResponseHeader("Upload-Offset");
    if (status == 422 && tries++ < 3) sentAll = at = 0;
    else if (status == 409 && had) at = +had;
    else if (status > 199 && status < 300) { reach(at = to); if (to == size) return 1; }
    else if (status > 399 && status < 500 || status == 507) fail(x.responseText);
    else return;
    return 2;
  });
}

async function save({ url, name }) {
  let parts = [], chunks = [], at = 0, tag, size, whole, s = sha(), tries = 0;
  const again = () => { parts = []; chunks = []; at = now = 0; whole = 0; s = sha(); };
  await patiently(async () => {
    const limit = new AbortController();
    let heard = Date.now(), asks;
    stop = () => limit.abort();
    const timer = setInterval(async () => {
      show();
      if (asks || Date.now() - heard < 10000) return;
      asks = 1;
      const since = heard;
      await ask("HEAD", "/").then(() => heard == since && limit.abort(), () => { note = "waiting for the line"; show(); });
      asks = 0;
    }, 1000);
    if (!whole) try {
      const r = await fetch(url, { cache: "no-store", signal: limit.signal, headers: at ? { Range: "bytes=" + at + "-", "If-Range": tag } : {} });
      if (r.status != 206) {
        if (r.status > 399 && r.status < 500 && r.status != 416) fail(await r.text());
        again();
        if (!r.ok) return;
        size = +r.headers.get("Content-Length");
        tag = r.headers.get("ETag");
      }
      const reader = r.body.getReader();
      for (let got; !(got = await reader.read()).done;) {
        heard = Date.now();
        s.add(got.value);
        chunks.push(got.value);
        if (chunks.length > 99) { parts.push(new Blob(chunks)); chunks = []; }
        reach(at += got.value.length);
      }
    } finally { clearInterval(timer); stop = undefined; }
    if (at < size) return;
    whole = whole || s.end();
    if (await has(url, whole)) return 1;
    if (tries++ > 2) fail("arrived damaged");
    again();
    return 2;
  });
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob(parts.concat(chunks)));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 60000);
}

const box = document.createElement("div"), bar = document.createElement("progress"), say = document.createElement("span");
box.style.cssText = "position:fixed;left:0;right:0;bottom:0;padding:.7em;background:#eee;color:#000;border-top:1px solid;font:1em sans-serif";
bar.style.cssText = "width:30%;margin-right:1em";
box.append(bar, say);
const button = (text, act) => {
  const b = document.createElement("button");
  b.textContent = text;
  b.style.marginLeft = "1em";
  b.onclick = () => act(b);
  box.append(b);
};
button("Pause", b => {
  paused = !paused;
  b.textContent = paused ? "Resume" : "Pause";
  if (paused) { if (stop) stop(); } else if (wake) wake();
  samples.length = 0;
  show();
});
button("Cancel", () => { jobs.length = 0; running = undefined; if (stop) stop(); if (wake) wake(); });
const sizeText = n => { let u = 0; while (n >= 999.5 && u < 4) { n /= 1000; u++; } return (u ? n.toFixed(n < 99.95 ? 1 : 0) : Math.round(n)) + " " + ["B", "kB", "MB", "GB", "TB"][u]; };
const timeText = s => s < 100 ? Math.ceil(s) + " s" : s < 6000 ? Math.round(s / 60) + " min" : Math.floor(s / 3600) + " h " + Math.round(s % 3600 / 60) + " min";
function show() {
  const t = Date.now(), done = before + now;
  if (note || paused) samples.length = 0;
  else if (!samples.length || t - samples[samples.length - 1][0] > 400) samples.push([t, moved]);
  while (samples.length > 2 && t - samples[0][0] > 15000) samples.shift();
  const past = samples[0], rate = past && t - past[0] > 900 ? (moved - past[1]) / (t - past[0]) * 1000 : 0;
  bar.max = total || 1;
  bar.value = done;
  const parts = [running && running.name, Math.floor(100 * done / (total || 1)) + " %", sizeText(done) + " of " + sizeText(total)];
  if (paused) parts.push("paused");
  else if (note) parts.push(note);
  else if (rate > 0) parts.push(sizeText(rate) + "/s", timeText((total - done) / rate) + " left");
  if (running) say.textContent = parts.filter(x => x).join("  \u00b7  ");
  if (running) document.body.append(box);
}
async function work() {
  if (running) return;
  let good = 0, bad = "";
  while (jobs.length) {
    jobs.sort((a, b) => a.size - b.size);
    running = jobs.shift();
    now = 0;
    const { size, name } = running;
    try { await running.act(running); good++; if (running.file) add(name, size, running.file.lastModified); }
    catch (e) { if (!running) bad = bad || "cancelled"; else bad = name + ": " + (e.text || e); total -= size; before -= size; }
    before += size;
  }
  running = undefined;
  const checked = good + (good == 1 ? " file" : " files") + " whole, compared by SHA-256";
  say.textContent = bad ? bad + " (" + checked + ")" : checked;
  total = before = now = 0;
}
function queue(job) {
  jobs.push(job);
  total += job.size;
  note = "";
  work();
  show();
}
window.onbeforeunload = e => { if (running) e.preventDefault(); };

function add(path, size, time) {
  const [name, below] = path.split("/"), shown = name + (below === undefined ? "" : "/");
  if ([...list.querySelectorAll("a")].some(a => a.textContent == shown)) return;
  const a = document.createElement("a"), d = new Date(time - new Date().getTimezoneOffset() * 60000).toISOString();
  a.href = "./" + encodeURIComponent(name) + shown.slice(name.length);
  a.textContent = shown;
  list.append(a, " ".repeat(Math.max(1, 44 - shown.length)) + (below === undefined ? size + "" : "").padStart(12) + "  " + d.slice(0, 16).replace("T", " ") + "\n");
}
for (const a of list.querySelectorAll("a")) {
  const text = a.nextSibling, [, size] = /^ +(\d+) /.exec(text.data) || [];
  if (!(size > 65536)) continue;
  const link = document.createElement("a");
  link.textContent = "Save";
  link.href = a.href;
  link.onclick = e => {
    e.preventDefault();
    queue({ act: save, url: a.pathname, name: a.textContent, size: +size });
  };
  const end = text.splitText(text.data.indexOf("\n"));
  end.before("  ", link);
}

const made = new Set();
async function folder(path) {
  const url = dir + path.split("/").map(encodeURIComponent).join("/") + "/";
  if (made.has(url)) return;
  made.add(url);
  if (path.includes("/")) await folder(path.replace(/\/[^/]*$/, ""));
  await patiently(async () => { const r = await ask("MKCOL", url); return r.ok || r.status == 405 ? 1 : r.status < 500 ? fail(await r.text()) : undefined; });
}
function offer(file, path) {
  const url = dir + path.split("/").map(encodeURIComponent).join("/");
  queue({ file, url, name: path, size: file.size, act: async job => {
    if (path.includes("/")) await folder(path.replace(/\/[^/]*$/, ""));
    await send(job);
  } });
}
async function walk(entry) {
  const path = entry.fullPath.slice(1);
  if (entry.isFile) return offer(await new Promise((good, bad) => entry.file(good, bad)), path);
  const reader = entry.createReader();
  let some, count = 0;
  while ((some = await new Promise((good, bad) => reader.readEntries(good, bad))).length) for (const one of some) { count++; await walk(one); }
  if (!count) queue({ name: path, size: 0, act: () => folder(path) });
}
if (form) {
  const input = form.elements.file;
  input.multiple = true;
  form.onsubmit = e => { e.preventDefault(); for (const file of input.files) offer(file, file.name); form.reset(); };
  form.append(" or drop files and folders on this page");
  ondragover = e => e.preventDefault();
  ondrop = e => {
    e.preventDefault();
    for (const item of [...e.dataTransfer.items].map(i => i.webkitGetAsEntry && i.webkitGetAsEntry())) if (item) walk(item);
  };
}
`;
