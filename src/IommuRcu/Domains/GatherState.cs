// The state of one gather: it lives once, whatever is copied, and is used again by the same thread.
namespace IommuRcu;

/// <summary>
/// What an <see cref="IotlbGather"/> refers to. A gather is a ref struct and so never leaves its thread: the states that are free are kept for each thread,
/// and taking one needs no locked instruction.
/// </summary>
internal sealed class GatherState
{
    // The state that this thread used first, and a list of those that it needed besides, with several gathers open at once. A gather is opened and closed for
    // every unmap, so the usual one takes a single look at thread-static storage and stores no reference that is there already: each costs nanoseconds.
    [ThreadStatic]
    private static GatherState? _usual;

    [ThreadStatic]
    private static GatherState? _free;

    internal GatherData Data;

    /// <summary>The domain that uses the state, or, in the thread's usual state, used it last.</summary>
    internal IommuDomain? Domain;

    /// <summary>Goes up whenever a gather ends: what holds an older number is a copy of a gather that is over.</summary>
    internal long Generation;

    /// <summary>Whether a flush was tried that did not come back.</summary>
    internal bool FlushFailed;

    private bool _isUsual;
    private bool _isOpen;
    private GatherState? _next;

    internal static GatherState Rent(IommuDomain domain)
    {
        GatherState? state = _usual;
        if (state is null || state._isOpen)
        {
            state = RentAnother(state is null);
        }

        state._isOpen = true;
        if (state.Domain != domain)
        {
            state.Domain = domain;
        }

        return state;
    }

    internal void GiveBack()
    {
        Generation++;
        Data = default;
        FlushFailed = false;
        _isOpen = false;
        if (!_isUsual)
        {
            Domain = null;
            _next = _free;
            _free = this;
        }
    }

    private static GatherState RentAnother(bool isFirst)
    {
        GatherState? state = isFirst ? null : _free;
        if (state is not null)
        {
            _free = state._next;
            return state;
        }

        state = new GatherState { _isUsual = isFirst };
        if (isFirst)
        {
            _usual = state;
        }

        return state;
    }
}
