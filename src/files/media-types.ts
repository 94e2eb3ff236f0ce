// What a browser is told of a file's contents, by the end of its name. What is not here is saved as it is.

const TYPES: Readonly<Record<string, string>> = {
  txt: "text/plain",
  log: "text/plain",
  md: "text/plain",
  c: "text/plain",
  h: "text/plain",
  diz: "text/plain",
  nfo: "text/plain",
  htm: "text/html",
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
  json: "application/json",
  xml: "text/xml",
  gif: "image/gif",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  svg: "image/svg+xml",
  webp: "image/webp",
  bmp: "image/bmp",
  wav: "audio/wav",
  mid: "audio/midi",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  zip: "application/zip",
  gz: "application/gzip",
  tar: "application/x-tar",
};

export function mediaTypeOf(name: string): string {
  const end = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return (Object.hasOwn(TYPES, end) ? TYPES[end] : undefined) ?? "application/octet-stream";
}
