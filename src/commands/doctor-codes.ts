// The codes of findings that `nullmodem doctor --json` may print, with their meaning. pppd logs the same findings.

export const FINDING_CODES: Readonly<Record<string, string>> = {
  tun: "the TUN device is missing or may not be used",
  rights: "this user may not make network interfaces",
  port: "the port cannot be opened or locked",
  "port-absent": "there is no such port; the others are named",
  "port-busy": "another program has the port, and only root may see which",
  "port-denied": "this user may not use the port; the group that may is named",
  "port-locked": "the process that has locked the port",
  "port-shared": "another program has the port open",
  "port-settings": "another program has changed the settings (pppd only)",
  "no-port": "the file is no serial port",
  "no-uart": "there is no chip behind the port's name",
  "no-fifo": "the chip has no FIFO",
  "latency-timer": "the USB adapter delays what it receives",
  speed: "the port cannot do the speed",
  "lines-dead": "no modem line is up",
  "lines-joined": "the plug connects our own lines",
  "cts-low": "CTS is low",
  "dtr-missing": "DSR and DCD are low",
  "carrier-missing": "DCD is low",
  "wire-missing": "wires are missing (--far)",
  loopback: "what is sent comes back at every speed",
  echo: "the far side echoes",
  silence: "nothing comes at any speed",
  noise: "octets come that make no sense at any speed",
  text: "text comes and no PPP",
  "other-speed": "the far side uses another speed",
  "seven-bits": "the line carries 7 bits or parity",
  xonxoff: "XON and XOFF are in the way",
  "octets-lost": "some octets never arrive",
  "framing-errors": "the driver counts framing errors",
  breaks: "the driver counts breaks",
  overruns: "the driver loses octets",
  "speeds-bad": "octets are lost at some speeds (--far)",
  "all-speeds-bad": "octets are lost at all speeds (--far)",
  "far-absent": "there is no other doctor (--far)",
  "far-lost": "the other doctor is gone (--far)",
};

export function codesText(): string {
  const rows = Object.entries(FINDING_CODES).map(([code, meaning]) => `  ${code.padEnd(15)}  ${meaning}\n`);
  return `Findings by their codes in --json (code, severity, text, remedy):\n${rows.join("")}`;
}
