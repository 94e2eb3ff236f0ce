// The option `peer NAME`: the options that suit a kind of peer, as if a file that `call` names had them.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { presetHint, presetNamed, presetSource, presetWords } from "../presets.ts";
import { INIT_ONLY, row, unset } from "../row.ts";

const NAME = "peer";

export const PRESET = row({
  name: NAME,
  rules: INIT_ONLY,
  about: "options for a kind of peer, such as win98 or palm: nullmodem presets lists them",
  fields: {
    /** The name of the preset. */
    preset: unset<string>(),
  },
  set({ draft, expand, given }, argument) {
    const name = decoded(argument);
    const preset = presetNamed(name);
    if (preset === undefined) {
      throw new OptionError(`peer ${name}: there is no such preset`, { hints: [presetHint(name)] });
    }
    if (draft.preset !== undefined && draft.preset !== name) {
      const where = given[NAME]?.source ?? "another place";
      throw new OptionError(`peer ${name} and peer ${draft.preset} (from ${where}) exclude each other`);
    }
    draft.preset = name;
    expand(presetSource(name), presetWords(preset));
  },
  value: ({ preset }) => preset,
});
