// Options about who the peer is and who we are.

import { OptionError } from "../error.ts";
import { isFailure } from "../host.ts";
import {
  alias,
  decoded,
  flag,
  GROUP,
  LIST,
  name,
  number,
  PRIORITY,
  PRIVILEGED,
  quoted,
  special,
  text,
  type Row,
  type Setting,
} from "../row.ts";

/** Names are cut where pppd's fields end. */
const MAX_NAME = 255;
const MAX_SECRET = 255;

type NameKey = "name" | "user" | "password" | "remotename";

/** An option whose value goes onto the wire as it stands. */
function wire(name: NameKey, rules: number, about: string, given: "userGiven" | "remotenameGiven" | undefined): Row {
  const max = name === "password" ? MAX_SECRET : MAX_NAME;
  return special(
    name,
    rules,
    about,
    ({ config }, word) => {
      config[name] = word.slice(0, max);
      if (given !== undefined) config[given] = true;
    },
    (config) => (name === "password" ? "??????" : quoted(decoded(config[name] ?? ""))),
  );
}

/** The user's name and password from the two lines of a file. */
function readLoginFile({ config, host }: Setting, argument: string): void {
  const path = decoded(argument);
  const file = host.readFile(path, "user");
  if (isFailure(file)) throw new OptionError(`unable to open user login data file ${path}`);
  const lines = file.text.split("\n");
  if (file.mode & 0o077) host.warn(`Warning - secret file ${path} has world and/or group access`);
  const [user, password] = lines;
  // A name is a line; a password may lack its line end.
  if (lines.length < 2 || user === undefined || !password)
    throw new OptionError(`unable to read user login data file ${path}`);
  config.loginFile = path;
  config.user = user.slice(0, MAX_NAME);
  config.userGiven = true;
  config.password = password.slice(0, MAX_SECRET);
}

function joinPrivgroup(setting: Setting, argument: string): void {
  const member = setting.host.inGroup(decoded(argument));
  if (member === undefined) throw new OptionError(`group ${decoded(argument)} is unknown`);
  if (member) setting.config.privileged = true;
}

const required = (name: string, about: string, makes: Parameters<typeof flag>[3], rules = GROUP): Row =>
  flag(name, rules, about, { auth: "auth", ...makes });

const requirePap = required("require-pap", "the peer must authenticate with PAP", { requirePap: true });
const requireChap = required("require-chap", "the peer must authenticate with CHAP", { requireChap: true }, GROUP);
const requireMschap = required(
  "require-mschap",
  "the peer must authenticate with MS-CHAP",
  { requireMschap: true },
  GROUP,
);
const requireMschapV2 = required(
  "require-mschap-v2",
  "the peer must authenticate with MS-CHAPv2",
  { requireMschapV2: true },
  GROUP,
);
const refusePap = flag("refuse-pap", 0, "do not prove our name with PAP", { refusePap: true });
const refuseChap = flag("refuse-chap", 0, "do not prove our name with CHAP", { refuseChap: true });
const refuseMschap = flag("refuse-mschap", 0, "do not prove our name with MS-CHAP", { refuseMschap: true });
const refuseMschapV2 = flag("refuse-mschap-v2", 0, "do not prove our name with MS-CHAPv2", { refuseMschapV2: true });

export const AUTH: readonly Row[] = [
  flag("auth", PRIORITY, "the peer must authenticate", { auth: "auth" }),
  flag("noauth", GROUP | PRIVILEGED, "the peer need not authenticate", { auth: "noauth" }),
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
  required("require-eap", "the peer must authenticate with EAP", { requireEap: true }, GROUP),
  flag("refuse-eap", 0, "do not prove our name with EAP", { refuseEap: true }),
  wire("name", PRIORITY | PRIVILEGED, "our name for authentication", undefined),
  special("+ua", PRIORITY, "read our user name and password from a file", readLoginFile, (config) =>
    quoted(config.loginFile ?? ""),
  ),
  wire("user", PRIORITY, "the name we give to the peer", "userGiven"),
  wire("password", PRIORITY, "our password", undefined),
  flag("usehostname", 0, "our name for authentication is the host's", { usehostname: true }),
  wire("remotename", PRIORITY, "the peer's name for authentication", "remotenameGiven"),
  text("pap-secrets", "papSecrets", PRIORITY | PRIVILEGED, "the file of PAP secrets"),
  text("chap-secrets", "chapSecrets", PRIORITY | PRIVILEGED, "the file of CHAP and EAP secrets"),
  flag("login", 0, "check PAP passwords with the system too", { login: true }),
  flag("enable-session", PRIVILEGED, "record the peer's session with the system", { enableSession: true }),
  flag("papcrypt", 0, "PAP passwords in the secrets file are encrypted", { papcrypt: true }),
  special("privgroup", PRIVILEGED | LIST, "a group whose members count as root", joinPrivgroup),
  special("allow-ip", PRIVILEGED | LIST, "an address peers may use without authenticating", ({ config }, word) =>
    config.allowIp.push(decoded(word)),
  ),
  name("remotenumber", "remotenumber", PRIORITY, "the peer's telephone number"),
  special("allow-number", PRIVILEGED | LIST, "a telephone number peers may call from", ({ config }, word) =>
    config.allowNumber.push(decoded(word)),
  ),
  text("ca", "ca", 0, "certificates to trust, for EAP-TLS"),
  text("capath", "capath", 0, "a folder of certificates to trust"),
  text("cert", "cert", 0, "our certificate, for EAP-TLS"),
  text("key", "key", 0, "our private key"),
  text("crl-dir", "crlDir", 0, "a folder of revocation lists"),
  text("crl", "crl", 0, "a revocation list"),
  text("max-tls-version", "maxTlsVersion", 0, "the highest version of TLS"),
  flag("tls-verify-key-usage", 0, "check what the peer's certificate is for", { tlsVerifyKeyUsage: true }),
  text("tls-verify-method", "tlsVerifyMethod", 0, "how to compare remotename with the peer's certificate"),
  text("pkcs12", "pkcs12", 0, "our certificate and key in one file"),
  flag("need-peer-eap", 0, "the peer must ask us for EAP", { needPeerEap: true }),
];

const hidePassword = flag("hide-password", PRIORITY, "keep passwords out of the log", { hidePassword: true });

export const PAP: readonly Row[] = [
  hidePassword,
  flag("show-password", GROUP, "show passwords in the log", { hidePassword: false }),
  number("pap-restart", "papRestart", PRIORITY, "seconds between two PAP requests", { min: 1, outside: "moved" }),
  number("pap-max-authreq", "papMaxAuthreq", PRIORITY, "how many PAP requests to send"),
  number("pap-timeout", "papTimeout", PRIORITY, "seconds to wait for the peer's PAP request (0: for ever)", {
    min: 0,
    outside: "moved",
  }),
];

export const CHAP: readonly Row[] = [
  number("chap-restart", "chapRestart", PRIORITY, "seconds between two challenges", { min: 1, outside: "moved" }),
  number("chap-max-challenge", "chapMaxChallenge", PRIORITY, "how often to send a challenge"),
  number("chap-interval", "chapInterval", PRIORITY, "seconds after which to challenge again (0: never)", {
    min: 0,
    outside: "moved",
  }),
  number("chap-timeout", "chapTimeout", PRIORITY, "seconds to wait for the peer's verdict (0: for ever)", {
    min: 0,
    outside: "moved",
  }),
  flag("chapms-strip-domain", 0, "look up MS-CHAP names without their domain", { chapmsStripDomain: true }),
  flag("ms-lanman", 0, "use the LAN Manager hash", { msLanman: true }),
  text("mschap-challenge", "mschapChallenge", 0, "a fixed challenge, for tests"),
  text("mschap2-peer-challenge", "mschap2PeerChallenge", 0, "a fixed challenge of the client, for tests"),
];

export const EAP: readonly Row[] = [
  number("eap-restart", "eapRestart", 0, "seconds between two EAP requests"),
  number("eap-max-sreq", "eapMaxSreq", 0, "how many EAP requests to send"),
  number("eap-timeout", "eapTimeout", 0, "seconds to wait for an EAP request"),
  number("eap-max-rreq", "eapMaxRreq", 0, "how many EAP requests to take"),
  number("eap-interval", "eapInterval", 0, "seconds after which to authenticate again"),
];
