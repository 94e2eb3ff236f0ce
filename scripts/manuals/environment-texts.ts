// The variables that pppd's scripts have. A test compares them with those that the program sets.

export const VARIABLES: Readonly<Record<string, string>> = {
  DEVICE: "The port, as `/dev/ttyS0`.",
  IFNAME: "The interface, as `ppp0`.",
  UNIT: "Its number.",
  SPEED: "Bits per second.",
  VRF: "The routing domain of the interface.",
  ORIG_UID: "The number of the user who started pppd.",
  PPPLOGNAME: "His name.",
  PPPD_PID: "The number of pppd's process.",
  CALL_FILE: "The name after `call`.",
  LINKNAME: "The name after `linkname`.",
  PEERNAME: "The name that the peer has proved.",
  REMOTENUMBER: "The peer's telephone number.",
  IPLOCAL: "Our address.",
  IPREMOTE: "The peer's address.",
  OLDIPLOCAL: "With `demand`: our address before this link.",
  OLDIPREMOTE: "The same of the peer.",
  LLLOCAL: "Our link-local address of IPv6.",
  LLREMOTE: "The peer's.",
  DNS1: "A name server of the peer.",
  DNS2: "A second one.",
  USEPEERDNS: "1 with `usepeerdns`, when the peer has named a server.",
  WINS1: "A WINS server of the peer.",
  WINS2: "A second one.",
  USEPEERWINS: "1 with `usepeerwins`, when the peer has named a server.",
  FILES_URL: "With `files`: where the peer finds the folder.",
  CONNECT_TIME: "At the end: the seconds that the link was up.",
  BYTES_SENT: "At the end: the octets that were sent.",
  BYTES_RCVD: "At the end: the octets that were received.",
};

/** A list with an item for each variable. */
export function environment(): string {
  return Object.entries(VARIABLES)
    .map(([name, text]) => `- \`${name}\`: ${text}`)
    .join("\n");
}
