// chat as a program, for tests that need a process of it.

import { chat } from "../../src/applets/chat.ts";

process.exitCode = await chat(process.argv.slice(2));
