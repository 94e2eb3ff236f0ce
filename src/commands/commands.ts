// Our own commands, which pppd does not have. Each one is loaded only when it is used.

import type { CommandProgram } from "./command-program.ts";

export const COMMANDS = {
  serve: async (): Promise<CommandProgram> => (await import("./serve.ts")).serve,
  join: async (): Promise<CommandProgram> => (await import("./join.ts")).join,
  files: async (): Promise<CommandProgram> => (await import("./files-command.ts")).files,
  status: async (): Promise<CommandProgram> => (await import("./status.ts")).status,
  ctl: async (): Promise<CommandProgram> => (await import("./ctl.ts")).ctl,
  capture: async (): Promise<CommandProgram> => (await import("./capture/capture-command.ts")).capture,
  log: async (): Promise<CommandProgram> => (await import("./session-log.ts")).log,
  report: async (): Promise<CommandProgram> => (await import("./report/report.ts")).report,
  get: async (): Promise<CommandProgram> => (await import("./transfer/transfer.ts")).get,
  put: async (): Promise<CommandProgram> => (await import("./transfer/transfer.ts")).put,
  sync: async (): Promise<CommandProgram> => (await import("./transfer/transfer.ts")).sync,
  service: async (): Promise<CommandProgram> => (await import("./service.ts")).service,
  doctor: async (): Promise<CommandProgram> => (await import("./doctor.ts")).doctor,
  setup: async (): Promise<CommandProgram> => (await import("./setup/setup.ts")).setup,
  presets: async (): Promise<CommandProgram> => (await import("./preset-list.ts")).presets,
  completion: async (): Promise<CommandProgram> => {
    const { completion } = await import("./completion/completion.ts");
    return Object.assign((argv: string[]) => completion(argv, COMMANDS), { definition: completion.definition });
  },
  cleanup: async (): Promise<CommandProgram> => (await import("./cleanup.ts")).cleanup,
};
export type Command = keyof typeof COMMANDS;
