export async function plog(_a: string[], _p?: unknown): Promise<number> { return 1; }
