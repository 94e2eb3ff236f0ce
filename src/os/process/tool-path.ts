/** Where the system's tools are looked for. Nobody else chooses what runs with our rights. */
export const TOOL_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";
