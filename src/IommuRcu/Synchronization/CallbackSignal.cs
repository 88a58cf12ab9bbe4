// The word that tells a queueing thread whether the callback thread must be woken.
namespace IommuRcu;

/// <summary>Whether the callback thread looks at the queues of its own accord.</summary>
internal static class CallbackSignal
{
    /// <summary>0: it sleeps, or has never been started. A class without initialisers, so that reading it is one load.</summary>
    internal static int Awake;
}
