// The connection to the message bus of the system (D-Bus).

export interface BusConnection {
  /** Never throws. What a bus that is gone does not take is lost. */
  write(bytes: Uint8Array): void;
  /** Ends the connection. What was written before still goes out. */
  end(): void;
}

export interface BusListener {
  /** The octets may change after the call. */
  data(bytes: Uint8Array): void;
  /** The bus has ended the connection. */
  closed(): void;
}

export interface MessageBus {
  /** Connects to the bus of the system. Rejects with an error that has the reason. */
  connect(listener: BusListener): Promise<BusConnection>;
}
