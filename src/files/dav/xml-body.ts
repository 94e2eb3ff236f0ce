// The XML that comes with a request, and XML that is sent.

import { bytesOf, textOf } from "../../bytes/text.ts";
import { OctetSource, type Receiver, type Reply, textReply } from "../reply.ts";
import { MOST_XML, readXml, type XmlElement } from "./xml-reader.ts";

export const XML_TYPE = ["Content-Type", 'application/xml; charset="utf-8"'] as const;
export const XML_START = '<?xml version="1.0" encoding="utf-8"?>\n';

/** Takes a body as XML. "none": the request has no body. */
export class XmlBody implements Receiver {
  readonly #answer: (xml: XmlElement | "none") => Reply;
  #text = "";

  constructor(answer: (xml: XmlElement | "none") => Reply) {
    this.#answer = answer;
  }

  take(bytes: Uint8Array, start: number, end: number): Reply | undefined {
    if (this.#text.length + end - start > MOST_XML) return textReply(413, "The XML is too long");
    this.#text += textOf(bytes, start, end);
    return undefined;
  }

  complete(): Reply {
    if (this.#text === "") return this.#answer("none");
    const xml = readXml(this.#text);
    return xml === undefined ? textReply(400, "This is not XML, or has a document type") : this.#answer(xml);
  }

  cut(): void {}
}

export function xmlReply(status: number, xml: string, ...headers: readonly (readonly [string, string])[]): Reply {
  return { status, headers: [XML_TYPE, ...headers], body: new OctetSource(bytesOf(XML_START + xml)) };
}

/** A precondition of RFC 4918 §16 that does not hold. */
export function conditionReply(status: number, condition: string): Reply {
  return xmlReply(status, `<D:error xmlns:D="DAV:">${condition}</D:error>`);
}
