// The programs that change the kernel's packet filter.

export interface FirewallTools {
  /** The path of nft; undefined: it is not there. */
  readonly nft: string | undefined;
  /**
   * The paths of iptables (or ip6tables) for each kind of its tables that this machine may use. The kind that it does use comes
   * first. "-save" and "-restore" are added to a path.
   */
  readonly iptables: readonly string[];
  /** The path of firewall-cmd, while firewalld runs. */
  readonly firewallCmd: string | undefined;
}
