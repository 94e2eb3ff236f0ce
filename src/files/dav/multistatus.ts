// What a request did to one of several files, or could not do (RFC 4918 §13).

import { addressOf } from "../http-request.ts";
import { type Path, type Trouble } from "../folder.ts";
import { reasonOfStatus, type Reply, troubleReply } from "../reply.ts";
import { xmlReply } from "./xml-body.ts";

/** The reply for a trouble with a file below the one that the request is about. */
export function troubleWith(path: Path, trouble: Trouble): Reply {
  const { status } = troubleReply(trouble);
  const line = `<D:status>HTTP/1.1 ${status} ${reasonOfStatus(status)}</D:status>`;
  const response = `<D:response><D:href>${addressOf(path, false)}</D:href>${line}</D:response>`;
  return xmlReply(207, `<D:multistatus xmlns:D="DAV:">${response}</D:multistatus>`);
}
