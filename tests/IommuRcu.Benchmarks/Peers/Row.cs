// One comparison of ours with a peer, as printed and as written to JSON.
namespace IommuRcu.Benchmarks.Peers;

/// <param name="Name">What is measured: begins with <c>read-section</c>, <c>grace-period</c> or <c>retire</c>.</param>
/// <param name="Threads">How many threads do it, or read meanwhile.</param>
/// <param name="Ns">Ours: the fastest round, nanoseconds an operation.</param>
/// <param name="Peer">What it is compared with.</param>
/// <param name="PeerNs">The peer's fastest round of the same run.</param>
/// <param name="Ratio">Ours divided by the peer's.</param>
internal sealed record Row(string Name, int Threads, double Ns, string Peer, double PeerNs, double Ratio);
