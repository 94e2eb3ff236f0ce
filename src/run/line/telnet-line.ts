// Which lines may turn out to be telnet: callers by TCP that autodetect serves, and the hosts that `socket` calls, which may
// have a serial port (RFC 2217).

import { ComPort } from "../../front/com-port.ts";
import { SERIAL_PORT, Telnet } from "../../front/telnet.ts";
import type { Config } from "../../options/config.ts";

export function telnetOf({
  socket,
  socketListen,
  autodetect,
  speed,
  stopBits,
  crtscts,
  modem,
}: Config): Telnet | undefined {
  if (socketListen !== undefined && autodetect.length > 0) return new Telnet();
  if (socket === undefined) return undefined;
  const flow = ({ on: "crtscts", off: "none", xonxoff: "xonxoff", unset: undefined } as const)[crtscts];
  return new Telnet(SERIAL_PORT, new ComPort({ speed, stopBits, flow, watchesCarrier: modem }));
}
