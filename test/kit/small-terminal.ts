// A terminal that understands what `status --watch` sends, and nothing else.

export class SmallTerminal {
  readonly columns: number;
  readonly rows: number;
  cursorIsHidden = false;
  isAlternate = false;
  /** Sequences that no such program should send. */
  readonly strange: string[] = [];
  /** The cells that were written to since the last look. */
  writes = 0;
  #cells: string[][] = [];
  #row = 0;
  #column = 0;
  #look = "";

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#clear();
  }

  #clear(): void {
    this.#cells = Array.from({ length: this.rows }, () => Array.from({ length: this.columns }, () => " "));
  }

  take(text: string): void {
    for (const [piece, control, final] of text.matchAll(/\x1b\[([0-9;?$]*)([A-Za-z])|[^]/gu)) {
      if (final !== undefined) this.#control(control ?? "", final);
      else if (piece === "\x1b" || piece < " ") this.strange.push(piece);
      else this.#put(piece);
    }
  }

  #put(char: string): void {
    if (this.#column >= this.columns) this.strange.push(`beyond the line: ${char}`);
    else this.#cells[this.#row]![this.#column++] = this.#look + char;
    this.writes++;
  }

  #control(numbers: string, final: string): void {
    const [first = 0, second = 0] = numbers.split(";").map(Number);
    const line = this.#cells[this.#row]!;
    switch (`${numbers.startsWith("?") ? "?" : ""}${final}`) {
      case "H":
        [this.#row, this.#column] = [Math.max(1, first) - 1, Math.max(1, second) - 1];
        break;
      case "C":
        this.#column += Math.max(1, first);
        break;
      case "K":
        line.fill(" ", this.#column);
        break;
      case "J":
        this.#clear();
        break;
      case "P":
        line.splice(this.#column, 1);
        line.push(" ");
        break;
      case "m":
        this.#look = numbers === "" ? "" : `<${numbers}>`;
        break;
      case "?h":
      case "?l":
        if (numbers === "?25") this.cursorIsHidden = final === "l";
        else if (numbers === "?1049") this.isAlternate = final === "h";
        else if (numbers !== "?2026") this.strange.push(numbers + final);
        break;
      case "?y":
      case "?p":
        break;
      default:
        this.strange.push(numbers + final);
    }
    if (this.#row >= this.rows || this.#column > this.columns)
      this.strange.push(`outside: ${this.#row},${this.#column}`);
  }

  /** Each cell with its look. */
  get looks(): string[] {
    return this.#cells.map((line) => line.join(""));
  }

  /** The characters, without the blanks at the ends of the rows. */
  get text(): string[] {
    return this.#cells.map((line) =>
      line
        .map((cell) => cell.replace(/<[^>]*>/, ""))
        .join("")
        .trimEnd(),
    );
  }
}
