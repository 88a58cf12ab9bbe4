// A first-in-first-out list of callback heads, linked through the heads.
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>A list of heads in the order they were queued. No thread safety of its own: who owns it when is said where it lives.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CallbackList
{
    internal RcuHead* First;
    internal RcuHead* Last;

    /// <summary>How many heads its slot had ever queued when the last one was appended.</summary>
    internal ulong End;

    internal readonly bool IsEmpty => First == null;

    internal void Append(RcuHead* head)
    {
        head->Next = null;
        if (First == null)
        {
            First = head;
        }
        else
        {
            Last->Next = head;
        }

        Last = head;
    }

    /// <summary>Moves all of <paramref name="other"/> behind what is here.</summary>
    internal void Append(ref CallbackList other)
    {
        if (other.First == null)
        {
            return;
        }

        if (First == null)
        {
            First = other.First;
        }
        else
        {
            Last->Next = other.First;
        }

        Last = other.Last;
        End = other.End;
        other.First = null;
        other.Last = null;
    }
}
