// Freeing native blocks after a grace period.
using System.Runtime.InteropServices;
using IommuRcu.Annotations;

namespace IommuRcu;

public static unsafe partial class Rcu
{
    /// <summary>Frees a block from <see cref="NativeMemory.Alloc(nuint)"/> after a grace period; its content stays readable until then.</summary>
    /// <param name="nativeBlock">The block, already unlinked; null does nothing.</param>
    /// <remarks>The kernel's <c>kfree_rcu</c>, without a head in the block. May be called anywhere. For aligned blocks use <c>Call</c>.</remarks>
    /// <exception cref="OutOfMemoryException">No memory to remember the block, inside a section or a callback, where waiting is not allowed.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    public static void Free([Retires] void* nativeBlock)
    {
        if (nativeBlock == null)
        {
            return;
        }

        RcuCallbacks.QueueFree(nativeBlock);
    }
}
