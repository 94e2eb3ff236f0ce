// Our own commands, which pppd does not have. Each one is loaded only when it is used.

import type { Program } from "../applets/applets.ts";

export const COMMANDS = {
  serve: async (): Promise<Program> => (await import("./serve.ts")).serve,
  join: async (): Promise<Program> => (await import("./join.ts")).join,
  files: async (): Promise<Program> => (await import("./files-command.ts")).files,
  status: async (): Promise<Program> => (await import("./status.ts")).status,
  get: async (): Promise<Program> => (await import("./transfer/transfer.ts")).get,
  put: async (): Promise<Program> => (await import("./transfer/transfer.ts")).put,
  sync: async (): Promise<Program> => (await import("./transfer/transfer.ts")).sync,
  service: async (): Promise<Program> => (await import("./service.ts")).service,
  doctor: async (): Promise<Program> => (await import("./doctor.ts")).doctor,
  setup: async (): Promise<Program> => (await import("./setup/setup.ts")).setup,
  presets: async (): Promise<Program> => (await import("./preset-list.ts")).presets,
  cleanup: async (): Promise<Program> => (await import("./cleanup.ts")).cleanup,
};
export type Command = keyof typeof COMMANDS;
