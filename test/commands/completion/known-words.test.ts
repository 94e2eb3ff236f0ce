// What the completions and the manual know of each program.

import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../../../src/commands/commands.ts";
import { completionText } from "../../../src/commands/completion/completion.ts";
import { knownApplets, knownCommands } from "../../../src/commands/completion/known-words.ts";
import { argumentOf, meaningOf, OPTION_ARGUMENTS } from "../../../src/commands/completion/option-arguments.ts";
import { GONE } from "../../../src/options/row.ts";
import { OPTIONS } from "../../../src/options/table.ts";

const rows = OPTIONS.entries.map(({ row }) => row);

test("every key of the arguments is an option that has one", () => {
  const named = new Map(rows.map((row) => [row.name, row]));
  for (const name of Object.keys(OPTION_ARGUMENTS)) expect([name, named.get(name)?.argument]).toEqual([name, true]);
});

test("the argument is found from the table, from the description, or from the option's kind", () => {
  const argument = (name: string): string | undefined => argumentOf(OPTIONS.named(name)!);
  expect(argument("call")).toBe("PEER");
  expect(argument("forward")).toBe("[ADDRESS:]PORT=PORT[/tcp|/udp]");
  expect(meaningOf(OPTIONS.named("forward")!)).toStartWith("this port of our machine");
  expect(argument("lcp-echo-interval")).toBe("N");
  expect(argument("ip-up-script")).toBe("FILE");
  expect(argument("connect")).toBe("COMMAND");
  expect(argument("debug")).toBeUndefined();
});

test("a command's flags, values and words are those of its definition", async () => {
  const commands = await knownCommands(COMMANDS);
  expect(commands.map(({ name }) => name)).toEqual(Object.keys(COMMANDS));
  const serve = commands.find(({ name }) => name === "serve")!;
  expect(serve.flags.flatMap(({ names }) => names)).toEqual(["--speed", "--auth", "--login", "--no-login", "--help"]);
  expect(serve).toMatchObject({ takesOptions: true, places: [{ word: "PORT", kind: "device" }] });
  const setup = commands.find(({ name }) => name === "setup")!;
  expect(setup.flags.find(({ names }) => names.includes("--flow"))?.value?.choices).toEqual(["rtscts", "none"]);
  for (const { about } of commands) expect(about).not.toBe("");
});

describe.each(["bash", "zsh", "fish"])("%s", (shell) => {
  test("has every option that does something, and every flag", async () => {
    const text = (await completionText(shell, COMMANDS))!;
    const words = [...knownApplets(), ...(await knownCommands(COMMANDS))].flatMap(({ flags }) =>
      flags.flatMap(({ names }) => names),
    );
    const options = rows.filter(({ rules, takes }) => takes === undefined && !(rules & GONE)).map(({ name }) => name);
    expect([...options, ...words].filter((word) => !text.includes(word))).toEqual([]);
  });
});

test("there is none for another shell", async () => {
  expect(await completionText("csh", COMMANDS)).toBeUndefined();
  expect(await completionText("constructor", COMMANDS)).toBeUndefined();
});
