// qemu's control protocol: JSON, one line each way, on a socket in the file system.

type Data = Readonly<Record<string, unknown>>;

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
  readonly data?: Data;
}

export class Qmp {
  readonly #socket: Bun.Socket;
  /** The callers that wait, in order. Answers come in the same order. */
  readonly #asked: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  readonly #waiting = new Set<(event: string, data: Data) => void>();

  private constructor(socket: Bun.Socket) {
    this.#socket = socket;
  }

  static async connect(path: string): Promise<Qmp> {
    let qmp: Qmp | undefined;
    let text = "";
    const take = (): void => {
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) if (line.trim() !== "") qmp!.#take(JSON.parse(line) as Message);
    };
    const decoder = new TextDecoder();
    const socket = await Bun.connect({
      unix: path,
      socket: {
        data: (_socket, bytes) => {
          text += decoder.decode(bytes, { stream: true });
          if (qmp !== undefined) take();
        },
        close: () => {
          if (qmp !== undefined) qmp.#end();
        },
      },
    });
    qmp = new Qmp(socket);
    take();
    await qmp.ask("qmp_capabilities");
    return qmp;
  }

  ask(command: string, words: Data = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: words })}\n`);
    });
  }

  /** Resolves at the next event of this name with this data. */
  event(name: string, wanted: (data: Data) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (event: string, data: Data): void => {
        if (event !== name || !wanted(data)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  close(): void {
    this.#socket.end();
  }

  #take({ event, data = {}, error, return: value }: Message): void {
    if (event !== undefined) for (const look of this.#waiting) look(event, data);
    else if (error !== undefined) this.#asked.shift()?.reject(new Error(`qemu: ${error.desc}`));
    // The greeting is neither of these.
    else if (value !== undefined) this.#asked.shift()?.resolve(value);
  }

  #end(): void {
    for (const { reject } of this.#asked.splice(0)) reject(new Error("qemu has ended"));
  }
}
