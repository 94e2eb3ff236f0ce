// Troubles of one file. Others may do better.

export class FileTrouble extends Error {}

/** The octets that arrived are not those that were sent, again and again. */
export class Damaged extends FileTrouble {}
