// The arguments of the scripts that deal with an interface, in pppd's order.

import type { Config } from "../../options/config.ts";

type ArgumentConfig = Pick<Config, "device" | "ipparam">;

/** Interface, tty, speed, whatever else there is to tell, and the word of `ipparam`. */
export function interfaceArguments(
  config: ArgumentConfig,
  ifname: string,
  speed: number,
  ...more: readonly string[]
): string[] {
  return withIpparam(config, [ifname, config.device ?? "", String(speed), ...more]);
}

export function withIpparam({ ipparam }: ArgumentConfig, args: readonly string[]): string[] {
  return ipparam === undefined ? [...args] : [...args, ipparam];
}
