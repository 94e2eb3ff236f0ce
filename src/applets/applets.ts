// The classic program names. Each program is loaded only when it is called.

export type Program = (argv: string[]) => Promise<number>;

export const APPLETS = {
  pppd: async (): Promise<Program> => (await import("./pppd.ts")).pppd,
  chat: async (): Promise<Program> => (await import("./chat.ts")).chat,
  pppstats: async (): Promise<Program> => (await import("./pppstats.ts")).pppstats,
  pppdump: async (): Promise<Program> => (await import("./pppdump.ts")).pppdump,
  pon: async (): Promise<Program> => {
    const { pon } = await import("./pon.ts");
    const { pppd } = await import("./pppd.ts");
    return (argv) => pon(argv, pppd);
  },
  poff: async (): Promise<Program> => (await import("./poff.ts")).poff,
  plog: async (): Promise<Program> => (await import("./plog.ts")).plog,
};
export type Applet = keyof typeof APPLETS;
