// Options about the names of both sides and about authentication.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { isFailure } from "../host.ts";
import { quoted } from "../quoted.ts";
import { GROUP, list, LIST, oneOf, PRIORITY, PRIVILEGED, row, unset, type Row } from "../row.ts";
import { alias, flag, name, number, path, sets, text } from "../row-kinds.ts";

// Names and passwords are byte strings (bytes/text.ts): they are sent unchanged.

/** The longest name. pppd's fields end there. */
const MAX_NAME = 255;
const MAX_SECRET = 255;

const shownName = (octets: string): string => quoted(decoded(octets));

const ownName = row({
  name: "name",
  rules: PRIORITY | PRIVILEGED,
  about: "our name for authentication",
  fields: {
    /** Settled by checkOptions: the host name, unless the option is given without `usehostname`. Byte string. */
    name: "",
  },
  set({ draft }, argument) {
    draft.name = argument.slice(0, MAX_NAME);
  },
  value: (fields) => shownName(fields.name),
});

const user = row({
  name: "user",
  rules: PRIORITY,
  about: "our name when we authenticate ourselves to the peer",
  fields: {
    /** Settled by checkOptions: `name`, unless the option is given. Byte string. */
    user: "",
    userGiven: false,
  },
  set({ draft }, argument) {
    draft.user = argument.slice(0, MAX_NAME);
    draft.userGiven = true;
  },
  value: (fields) => shownName(fields.user),
});

const password = row({
  name: "password",
  rules: PRIORITY,
  about: "our password for the peer",
  fields: {
    /** Undefined: use the secrets files. The empty text is a password. Byte string. */
    password: unset<string>(),
  },
  set({ draft }, argument) {
    draft.password = argument.slice(0, MAX_SECRET);
  },
  value: () => "??????",
});

export const remotename = row({
  name: "remotename",
  rules: PRIORITY,
  about: "the peer's name for authentication",
  fields: {
    /** Empty when it is not given and does not come from a host name. Byte string. */
    remotename: "",
    /** Given by `remotename` and not taken from the address pair. It then overrides the name that the peer sends. */
    remotenameGiven: false,
  },
  set({ draft }, argument) {
    draft.remotename = argument.slice(0, MAX_NAME);
    draft.remotenameGiven = true;
  },
  value: (fields) => shownName(fields.remotename),
});

/** Reads the user's name and password from two lines of a file. */
const loginFile = row({
  name: "+ua",
  rules: PRIORITY,
  about: "read our user name and password from a file",
  fields: { loginFile: unset<string>() },
  shares: [user, password],
  set({ draft, host }, argument) {
    const path = decoded(argument);
    const file = host.readFile(path, "user");
    if (isFailure(file)) throw new OptionError(`unable to open user login data file ${path}`);
    if (file.mode & 0o077) host.warn(`Warning - secret file ${path} has world and/or group access`);
    // The name must have a line end. The password need not.
    const [name = "", secret] = file.text.split("\n");
    if (!secret) throw new OptionError(`unable to read user login data file ${path}`);
    draft.loginFile = path;
    draft.user = name.slice(0, MAX_NAME);
    draft.userGiven = true;
    draft.password = secret.slice(0, MAX_SECRET);
  },
  value: (fields) => quoted(fields.loginFile ?? ""),
});

const privgroup = row({
  name: "privgroup",
  rules: PRIVILEGED | LIST,
  about: "a group whose members count as root",
  set({ facts, host }, argument) {
    const member = host.inGroup(decoded(argument));
    if (member === undefined) throw new OptionError(`group ${decoded(argument)} is unknown`);
    if (member) facts.privileged = true;
  },
});

const allowIp = row({
  name: "allow-ip",
  rules: PRIVILEGED | LIST,
  about: "an address that peers may use without authentication",
  fields: {
    /** Address specifications as in a secrets file. */
    allowIp: list<string>(),
  },
  set({ draft }, argument) {
    draft.allowIp = [...draft.allowIp, decoded(argument)];
  },
});

const allowNumber = row({
  name: "allow-number",
  rules: PRIVILEGED | LIST,
  about: "a telephone number that peers may call from",
  fields: { allowNumber: list<string>() },
  set({ draft }, argument) {
    draft.allowNumber = [...draft.allowNumber, decoded(argument)];
  },
});

/** `auth`, a require-… option, `noauth`, or none of them. */
type Wish = "auth" | "noauth" | "unset";

const auth = sets(
  "auth",
  PRIORITY,
  "the peer must authenticate",
  { auth: "auth" },
  { fields: { auth: oneOf<Wish>("unset") } },
);

/** An option that demands an authentication of the peer. */
function required<Key extends string>(name: string, key: Key, method: string): Row<Record<Key, boolean>> {
  const own = flag(name, key, GROUP, `the peer must authenticate with ${method}`);
  const requires = sets(name, GROUP, own.about, { auth: "auth" }, { shares: [auth] });
  return {
    ...own,
    set(setting, argument) {
      own.set(setting, argument);
      requires.set(setting, argument);
    },
    value: (fields) => (requires.value(fields) === undefined ? undefined : own.value(fields)),
  };
}

const requirePap = required("require-pap", "requirePap", "PAP");
const requireChap = required("require-chap", "requireChap", "CHAP");
const requireMschap = required("require-mschap", "requireMschap", "MS-CHAP");
const requireMschapV2 = required("require-mschap-v2", "requireMschapV2", "MS-CHAPv2");
const refusePap = flag("refuse-pap", "refusePap", 0, "do not authenticate ourselves with PAP");
const refuseChap = flag("refuse-chap", "refuseChap", 0, "do not authenticate ourselves with CHAP");
const refuseMschap = flag("refuse-mschap", "refuseMschap", 0, "do not authenticate ourselves with MS-CHAP");
const refuseMschapV2 = flag("refuse-mschap-v2", "refuseMschapV2", 0, "do not authenticate ourselves with MS-CHAPv2");

export const AUTH = [
  auth,
  sets("noauth", GROUP | PRIVILEGED, "the peer need not authenticate", { auth: "noauth" }, { shares: [auth] }),
  requirePap,
  alias(requirePap, "+pap"),
  requireChap,
  alias(requireChap, "+chap"),
  requireMschap,
  alias(requireMschap, "+mschap"),
  requireMschapV2,
  alias(requireMschapV2, "+mschap-v2"),
  refusePap,
  alias(refusePap, "-pap"),
  refuseChap,
  alias(refuseChap, "-chap"),
  refuseMschap,
  alias(refuseMschap, "-mschap"),
  refuseMschapV2,
  alias(refuseMschapV2, "-mschap-v2"),
  required("require-eap", "requireEap", "EAP"),
  flag("refuse-eap", "refuseEap", 0, "do not authenticate ourselves with EAP"),
  ownName,
  loginFile,
  user,
  password,
  flag("usehostname", "usehostname", 0, "use the host name as our name for authentication"),
  remotename,
  path("pap-secrets", "papSecrets", "pap-secrets", PRIORITY | PRIVILEGED, "the file of PAP secrets"),
  path("chap-secrets", "chapSecrets", "chap-secrets", PRIORITY | PRIVILEGED, "the file of CHAP and EAP secrets"),
  flag("login", "login", 0, "check the peer's PAP password with the system's accounts too"),
  flag("enable-session", "enableSession", PRIVILEGED, "record the peer's session with the system"),
  flag("papcrypt", "papcrypt", 0, "the PAP passwords in the secrets file are encrypted"),
  privgroup,
  allowIp,
  name("remotenumber", "remotenumber", PRIORITY, "the peer's telephone number"),
  allowNumber,
  text("ca", "ca", 0, "certificates to trust, for EAP-TLS"),
  text("capath", "capath", 0, "a folder of certificates to trust"),
  text("cert", "cert", 0, "our certificate, for EAP-TLS"),
  text("key", "key", 0, "our private key"),
  text("crl-dir", "crlDir", 0, "a folder of revocation lists"),
  text("crl", "crl", 0, "a revocation list"),
  text("max-tls-version", "maxTlsVersion", 0, "the highest version of TLS"),
  flag("tls-verify-key-usage", "tlsVerifyKeyUsage", 0, "check the key usage in the peer's certificate"),
  text("tls-verify-method", "tlsVerifyMethod", 0, "how to compare remotename with the peer's certificate"),
  text("pkcs12", "pkcs12", 0, "our certificate and key in one file"),
  flag("need-peer-eap", "needPeerEap", 0, "the peer must ask us to authenticate ourselves with EAP"),
] as const;

const hidePassword = sets(
  "hide-password",
  PRIORITY,
  "keep passwords out of the log",
  { hidePassword: true },
  { fields: { hidePassword: true } },
);

export const PAP = [
  hidePassword,
  sets("show-password", GROUP, "show passwords in the log", { hidePassword: false }, { shares: [hidePassword] }),
  number("pap-restart", "papRestart", 3, PRIORITY, "seconds between two PAP requests", { min: 1, outside: "moved" }),
  number("pap-max-authreq", "papMaxAuthreq", 10, PRIORITY, "how many PAP requests to send"),
  number("pap-timeout", "papTimeout", 30, PRIORITY, "seconds to wait for the peer's PAP request (0: for ever)", {
    min: 0,
    outside: "moved",
  }),
] as const;

export const CHAP = [
  number("chap-restart", "chapRestart", 3, PRIORITY, "seconds between two challenges", { min: 1, outside: "moved" }),
  number("chap-max-challenge", "chapMaxChallenge", 10, PRIORITY, "how many challenges to send"),
  number("chap-interval", "chapInterval", 0, PRIORITY, "seconds after which to challenge again (0: never)", {
    min: 0,
    outside: "moved",
  }),
  number("chap-timeout", "chapTimeout", 60, PRIORITY, "seconds to wait for the peer's verdict (0: for ever)", {
    min: 0,
    outside: "moved",
  }),
  flag("chapms-strip-domain", "chapmsStripDomain", 0, "look up names of MS-CHAP without their domain"),
  flag("ms-lanman", "msLanman", 0, "use the LAN Manager hash"),
  text("mschap-challenge", "mschapChallenge", 0, "a fixed challenge, for tests"),
  text("mschap2-peer-challenge", "mschap2PeerChallenge", 0, "a fixed challenge of the client, for tests"),
] as const;

export const EAP = [
  number("eap-restart", "eapRestart", 3, 0, "seconds between two EAP requests"),
  number("eap-max-sreq", "eapMaxSreq", 30, 0, "how many EAP requests to send"),
  number("eap-timeout", "eapTimeout", 20, 0, "seconds to wait for an EAP request"),
  number("eap-max-rreq", "eapMaxRreq", 20, 0, "how many EAP requests to accept"),
  number("eap-interval", "eapInterval", 0, 0, "seconds after which to authenticate again"),
] as const;
