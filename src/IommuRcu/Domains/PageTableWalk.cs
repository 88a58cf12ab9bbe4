// A walk over mapped pages: an enumerator on the stack that asks the domain for a few pages at a time.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>Enumerates the mapped pages of a range, in the read section in which it was made.</summary>
/// <remarks>
/// It is its own enumerator. It reads up to eight pages ahead; each page is as it was at one moment between the walk's last step and now. It keeps its domain alive, but not
/// open: the domain must not be disposed, and cannot be while the section is.
/// </remarks>
public ref struct PageTableWalk
{
    internal const int BufferSize = 8;

    internal readonly IommuDomain Domain;

    // In the domain's linear form, the last address inclusive.
    internal readonly ulong Last;
    internal ulong Next;
    internal bool AtEnd;
    internal int Count;

    // How often the walk may still start from the root, each time to go on through one table: what bounds the section of who cuts itself.
    internal long DescentsLeft = long.MaxValue;
    internal LeafBuffer Buffer;

    private readonly ulong _first;
    private readonly Iova _start;
    private readonly Iova _end;
    private int _position;

    internal PageTableWalk(IommuDomain domain, ulong first, ulong last, Iova start, Iova end)
    {
        Domain = domain;
        _first = first;
        Next = first;
        Last = last;
        _start = start;
        _end = end;
        _position = -1;
    }

    /// <summary>Gets the page that the walk stands on.</summary>
    public readonly PageTableLeaf Current => Buffer[_position];

    /// <summary>Gets where another walk would go on: the address after <see cref="Current"/>, or <see langword="null"/> when the walk met the last page of its range.</summary>
    /// <remarks>A <see langword="foreach"/> works on a copy: step with <see cref="MoveNext"/> to ask this, or take it from the last page: its address plus its size.</remarks>
    public readonly Iova? ResumeAt
    {
        get
        {
            if (_position < 0)
            {
                return AtEnd ? null : new Iova(_start.Value);
            }

            if (_position >= Count)
            {
                // At the end, or cut where no page was met.
                return AtEnd ? null : _start + (Next - _first);
            }

            ref readonly PageTableLeaf leaf = ref Buffer[_position];
            ulong last = leaf.Iova.Value + (leaf.Size - 1);
            return last >= _end.Value ? null : new Iova(last + 1);
        }
    }

    /// <summary>Returns the walk itself, as it stands.</summary>
    public readonly PageTableWalk GetEnumerator() => this;

    /// <summary>Steps to the next mapped page.</summary>
    /// <returns><see langword="false"/> when there is none.</returns>
    /// <exception cref="InvalidOperationException">No read section is open.</exception>
    [RequiresReadLock(DomainType = typeof(Rcu))]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext() => ++_position < Count || Fill();

    private bool Fill()
    {
        Count = 0;
        _position = 0;
        if (!AtEnd)
        {
            Domain.WalkNext(ref this);
        }

        return Count != 0;
    }

    [InlineArray(BufferSize)]
    internal struct LeafBuffer
    {
        private PageTableLeaf _first;
    }
}
