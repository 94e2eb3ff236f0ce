// Network cables between machines.

import type { Machine } from "./machine.ts";

/** Runs a shell script in the machine. Throws when a command of it fails. */
export async function must(machine: Machine, script: string): Promise<void> {
  const { status, stderr } = await machine.run("sh", "-ec", script);
  if (status !== 0) throw new Error(`${machine.name}: ${script}: ${stderr}`);
}

/** Wires two machines. Each gets an interface with the other's name. */
export async function wire(one: Machine, other: Machine): Promise<void> {
  await must(one, `ip link add ${other.name} type veth peer name ${one.name} netns ${other.pid}`);
}
