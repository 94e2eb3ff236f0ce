// chat as a separate program for tests.

import { chat } from "../../src/applets/chat.ts";

process.exitCode = await chat(process.argv.slice(2));
