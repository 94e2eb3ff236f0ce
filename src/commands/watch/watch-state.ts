// What the screen of `status --watch` is about, and what the keys change of it.

import type { Status } from "../../run/live/published-status.ts";
import type { Key } from "./keys.ts";
import { LinkHistory } from "./link-history.ts";

/** What a key asks of the host. */
export type Wish = "end" | "redraw" | { readonly verb: "hangup" | "capture"; readonly link: Status } | undefined;

/** A message is shown for so long. */
const MESSAGE_MS = 6000;

export class WatchState {
  /** By name. */
  links: readonly LinkHistory[] = [];
  view: "list" | "detail" | "keys" = "list";
  /** A question that is answered by y or n. */
  question: string | undefined;
  /** Links that are captured, by interface and process, and the file of each. */
  readonly captures = new Map<string, string>();
  #selected: string | undefined;
  #asked: Status | undefined;
  #message = "";
  #messageUntil = -Infinity;
  #hasChosenView = false;

  /** The one that is chosen. Undefined: there is none. */
  get selected(): LinkHistory | undefined {
    return this.links.find(({ latest }) => keyOf(latest) === this.#selected) ?? this.links[0];
  }

  message(now: number): string {
    return now < this.#messageUntil ? this.#message : "";
  }

  say(text: string, now: number): void {
    this.#message = text;
    this.#messageUntil = now + MESSAGE_MS;
  }

  /** These are the links now. */
  take(statuses: readonly Status[], now: number): void {
    const at = this.links.findIndex(({ latest }) => keyOf(latest) === this.#selected);
    const known = new Map(this.links.map((history) => [keyOf(history.latest), history]));
    this.links = statuses.map((status) => {
      const history = known.get(keyOf(status));
      history?.add(status, now);
      return history ?? new LinkHistory(status, now);
    });
    // When the chosen one is gone, the next one takes its place.
    if (!this.links.some(({ latest }) => keyOf(latest) === this.#selected)) this.#select(Math.max(0, at));
    if (this.links.length > 0 && !this.#hasChosenView) {
      this.#hasChosenView = true;
      this.view = this.links.length === 1 ? "detail" : "list";
    }
    if (this.links.length === 0) this.question = undefined;
  }

  #select(at: number): void {
    const history = this.links[Math.max(0, Math.min(at, this.links.length - 1))];
    this.#selected = history && keyOf(history.latest);
  }

  press(key: Key, now: number): Wish {
    if (key === "end") return "end";
    if (key === "redraw") return "redraw";
    // The terminal answers when it likes.
    if (key === "whole-updates") return undefined;
    if (this.question !== undefined) return this.#answer(key, now);
    if (typeof key === "object") return this.#pressChar(key.char);
    const at = this.links.findIndex((history) => history === this.selected);
    switch (key) {
      case "up":
        this.#select(at - 1);
        break;
      case "down":
        this.#select(at + 1);
        break;
      case "first":
        this.#select(0);
        break;
      case "last":
        this.#select(this.links.length - 1);
        break;
      case "enter":
      case "tab":
        this.view = this.view === "list" ? "detail" : "list";
        break;
      case "escape":
        this.view = "list";
        break;
      default:
        key satisfies never;
    }
    return undefined;
  }

  #pressChar(char: string): Wish {
    const link = this.selected?.latest;
    switch (char) {
      case "q":
      case "Q":
        return "end";
      case "j":
        return this.press("down", 0);
      case "k":
        return this.press("up", 0);
      case "g":
        return this.press("first", 0);
      case "G":
        return this.press("last", 0);
      case "?":
        this.view = this.view === "keys" ? "list" : "keys";
        return undefined;
      case "h":
        if (link !== undefined) {
          this.question = `Hang up ${link.interface}? y/n`;
          this.#asked = link;
        }
        return undefined;
      case "c":
        return link && { verb: "capture", link };
      default:
        return undefined;
    }
  }

  #answer(key: Key, now: number): Wish {
    const link = this.#asked;
    this.question = this.#asked = undefined;
    if (link !== undefined && typeof key === "object" && key.char.toLowerCase() === "y")
      return { verb: "hangup", link };
    this.say("Not hung up", now);
    return undefined;
  }
}

/** An interface of the same name may be another process's later. */
export function keyOf({ interface: name, pid }: Status): string {
  return `${name} ${pid}`;
}
