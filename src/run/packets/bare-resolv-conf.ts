// /etc/resolv.conf where no program collects name servers: while a link is up, a file without any name server gets those of the
// peer, between two lines that name the interface.

export const RESOLV_CONF = "/etc/resolv.conf";

const begin = (ifname: string): string => `# nullmodem: the name servers of ${ifname}, until the link ends\n`;
const end = (ifname: string): string => `# nullmodem: end of ${ifname}\n`;

/** The text with these name servers. Undefined: it has some. */
export function withServers(text: string, ifname: string, servers: readonly string[]): string | undefined {
  const own = withoutServers(text, ifname);
  if (/^\s*nameserver\s/m.test(own)) return undefined;
  const lines = servers.map((server) => `nameserver ${server}\n`).join("");
  const gap = own === "" || own.endsWith("\n") ? "" : "\n";
  return `${own}${gap}${begin(ifname)}${lines}${end(ifname)}`;
}

/** The text as it was before. */
export function withoutServers(text: string, ifname: string): string {
  const from = text.indexOf(begin(ifname));
  const to = text.indexOf(end(ifname), from);
  return from < 0 || to < 0 ? text : text.slice(0, from) + text.slice(to + end(ifname).length);
}
